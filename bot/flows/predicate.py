"""Conditions in flows: Rasa's ``slots.amount > 100 and not slots.confirmed``, read once and then only evaluated. Pure.

The language is that of pypred, which Rasa uses, as far as flows need it:

    and  or  not  ( )
    =  ==  is  !=  is not  >  >=  <  <=  contains  matches
    slots.amount  context.name  customer.name  "text"  'text'  12.5  true  false  null  undefined  empty  {"a" "b"}

What pypred reads in a way that nobody expects is refused: ``a and b or c`` is ``a and (b or c)`` to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from memory.patterns import PatternRefused, make_pattern

NAMESPACES = ("slots", "context", "customer")
"""What a name in a condition begins with."""

MAX_LENGTH = 1000
"""Characters of a condition."""

MAX_DEPTH = 20
"""Parentheses in each other, and ``not`` after ``not``."""

Values: TypeAlias = Mapping[str, Mapping[str, Any]]
_Value: TypeAlias = Callable[[Values], Any]


class PredicateRefused(ValueError):
    """A condition that cannot be read; the text says where and what to write instead."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition. ``text`` is what the designer wrote; ``reads`` are the names it asks about, such as ``slots.amount``.

    ``reads`` has the first two parts of a name: of ``slots.address.postcode`` it has ``slots.address``. ``compares`` are names with the
    texts, numbers and truth values that they are compared with, for checks. Made by ``parse``.
    """

    text: str
    reads: frozenset[str]
    _value: _Value = field(repr=False, compare=False)
    compares: frozenset[tuple[str, str | float | bool]] = field(default=frozenset(), repr=False, compare=False)

    def holds(self, values: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether it holds for ``values`` by namespace: ``slots``, ``context``, ``customer``. A name that has no value is None there.

        Never raises: what cannot be compared, such as a text with a number or anything with None, is not equal, not more and not less.
        ``!=`` and ``is not`` are the contrary of ``=``, so they hold for a name without a value.
        """
        return _true(self._value(values))


def parse(text: str) -> Predicate:
    """The condition that ``text`` says. Raises ``PredicateRefused``."""
    return _Reader(text).read()


def _true(value: Any) -> bool:
    """Whether a value alone holds: what is there and is not empty, zero or false."""
    return bool(value)


def _equal(a: Any, b: Any) -> bool:
    if a is _EMPTY or b is _EMPTY:
        return _nothing(a) and _nothing(b)
    if a is None or b is None:
        return a is b
    if isinstance(a, bool) or isinstance(b, bool):
        return isinstance(a, bool) and isinstance(b, bool) and a == b
    x, y = _number(a), _number(b)
    if x is not None and y is not None:
        return x == y
    return type(a) is type(b) and bool(a == b)


def _nothing(value: Any) -> bool:
    return value is _EMPTY or value is None or (isinstance(value, str | list | tuple | Mapping) and not value)


def _less(a: Any, b: Any, *, or_equal: bool = False) -> bool:
    if isinstance(a, str) and isinstance(b, str):
        return a < b or (or_equal and a == b)  # dates and times in ISO 8601 sort as texts
    x, y = _number(a), _number(b)
    return x is not None and y is not None and (x < y or (or_equal and x == y))


def _number(value: Any) -> Decimal | None:
    """A number; money counts by its amount."""
    if isinstance(value, Mapping):
        value = value.get("amount")
        if isinstance(value, str):
            try:
                number = Decimal(value)
            except InvalidOperation:
                return None
            return number if number.is_finite() else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _contains(a: Any, b: Any) -> bool:
    if isinstance(a, str):
        return isinstance(b, str) and b in a
    if isinstance(a, list | tuple):
        return any(_equal(item, b) for item in a)
    return isinstance(a, Mapping) and isinstance(b, str) and b in a


class _Empty:
    """What ``empty`` says: equal to whatever has nothing in it."""

    def __bool__(self) -> bool:
        return False


_EMPTY = _Empty()

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": _equal,
    "!=": lambda a, b: not _equal(a, b),
    "<": _less,
    ">": lambda a, b: _less(b, a),
    "<=": lambda a, b: _less(a, b, or_equal=True),
    ">=": lambda a, b: _less(b, a, or_equal=True),
    "contains": _contains,
}

_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "undefined": None, "empty": _EMPTY}
_ELSEWHERE: Mapping[str, str] = {
    "&&": "write `and`",
    "||": "write `or`",
    "!": "write `not`",
    "=<": "write `<=`",
    "=>": "write `>=`",
    "<>": "write `!=`",
    "===": "write `=`",
    "in": 'write the set first: {"one" "other"} contains slots.name',
    "none": "write `null`",
    "equals": "write `=`",
    "like": "write `matches` or `contains`",
    "startswith": 'write `matches "^..."`',
}
"""How other languages say it, in lower case, and what is written here."""

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"[^"]*"|'[^']*')
  | (?P<pattern>/(?:[^/\\]|\\.)*/)
  | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?![\w.]))
  | (?P<word>[^\W\d][\w-]*(?:\.[\w-]+)*)
  | (?P<sign>===|==|=<|=>|!=|<>|<=|>=|&&|\|\||[=<>(){},!])
  | (?P<other>\S)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


class _Reader:
    """Reads a condition from left to right, as its grammar is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._reads: set[str] = set()
        self._compares: set[tuple[str, str | float | bool]] = set()
        self._depth = 0
        if not text.strip():
            raise PredicateRefused("a condition is empty; write one such as slots.amount > 100")
        if len(text) > MAX_LENGTH:
            raise PredicateRefused(f"a condition has {len(text)} characters; at most {MAX_LENGTH} are allowed")
        self._tokens = [
            _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
            for match in _TOKEN.finditer(text)
            if match.lastgroup is not None
        ]
        self._at = 0

    def read(self) -> Predicate:
        value = self._choice()
        if (token := self._next()) is not None:
            if token.text == ")":
                raise self._refused("there is a ) without its (")
            raise self._refused(self._after(token))
        return Predicate(self._text.strip(), frozenset(self._reads), value, frozenset(self._compares))

    def _after(self, token: _Token) -> str:
        said = _ELSEWHERE.get(token.text.lower())
        if said is not None:
            return f"`{token.text}` is not known here; {said}"
        return f"`{token.text}` stands where `and`, `or` or a comparison is expected"

    def _choice(self) -> _Value:
        """Parts joined by ``and`` and ``or``, read from the right as pypred does, where that is what everybody would read."""
        parts, words = [self._negation()], []
        while (word := self._word("and", "or")) is not None:
            if word == "or" and "and" in words:
                self._at -= 1
                raise self._refused("`or` after `and` can be read in two ways; put parentheses around what belongs together")
            words.append(word)
            parts.append(self._negation())
        value = parts.pop()
        while words:
            value = _joined(words.pop(), parts.pop(), value)
        return value

    def _negation(self) -> _Value:
        if self._word("not") is None:
            return self._comparison()
        self._deeper()
        value = self._negation()
        self._depth -= 1
        return lambda values: not _true(value(values))

    def _comparison(self) -> _Value:
        start = self._at
        left = self._operand()
        end = self._at
        word = self._operator()
        if word is None:
            return left
        if word == "matches":
            match = self._pattern()
            return lambda values: isinstance(text := left(values), str) and match.search(text) is not None
        begin = self._at
        right, compare = self._operand(), _COMPARE[word]
        if word in ("=", "!=", "contains"):
            self._note(self._tokens[start:end], self._tokens[begin : self._at], word)
        return lambda values: compare(left(values), right(values))

    def _note(self, left: list[_Token], right: list[_Token], word: str) -> None:
        """Note a name that is compared with a value, or with each of a set."""
        for one, others in ((left, right), (right, left)):
            if len(one) != 1 or one[0].kind != "word" or one[0].text.count(".") != 1 or (word == "contains" and one is left):
                continue
            for token in others:
                if token.kind == "text":
                    self._compares.add((one[0].text, token.text[1:-1]))
                elif token.kind == "number":
                    self._compares.add((one[0].text, float(token.text)))
                elif token.text.lower() in ("true", "false"):
                    self._compares.add((one[0].text, token.text.lower() == "true"))

    def _operator(self) -> str | None:
        token = self._next()
        if token is None or token.kind not in ("word", "sign"):
            return None
        word = {"==": "=", "is": "="}.get(token.text.lower(), token.text.lower())
        if word not in _COMPARE and word != "matches":
            return None
        self._at += 1
        if token.text.lower() == "is" and self._word("not") is not None:
            return "!="
        if word == "=" and (other := self._next()) is not None and other.text in ("=", "==", "<", ">"):
            raise self._refused(f"after `{token.text}` there is another comparison; write one of them")
        return word

    def _operand(self) -> _Value:
        token = self._next()
        if token is None:
            raise self._refused("the condition ends too early; a name, a text or a number is missing")
        self._at += 1
        if token.kind == "text":
            return _always(token.text[1:-1])
        if token.kind == "number":
            return _always(float(token.text) if "." in token.text else int(token.text))
        if token.kind == "word":
            return self._name(token)
        if token.text == "(":
            self._deeper()
            value = self._choice()
            self._depth -= 1
            if (closing := self._next()) is None or closing.text != ")":
                raise self._refused("a ( is not closed" if closing is None else self._after(closing))
            self._at += 1
            return value
        if token.text == "{":
            return self._set()
        self._at -= 1
        if token.kind == "pattern":
            raise self._refused("a pattern between / and / stands only after `matches`")
        if token.text in "“”„‘’«»":
            raise self._refused('write straight quotation marks: "text"')
        if token.text in "\"'":
            raise self._refused("a quotation mark is not closed")
        if token.text in "[]":
            raise self._refused('a set stands in braces: {"one" "other"}')
        if (said := _ELSEWHERE.get(token.text)) is not None:
            raise self._refused(f"`{token.text}` is not known here; {said}")
        raise self._refused(f"`{token.text}` stands where a name, a text or a number is expected")

    def _name(self, token: _Token) -> _Value:
        word = token.text.lower()
        if word in _CONSTANTS:
            return _always(_CONSTANTS[word])
        namespace, *path = token.text.split(".")
        if namespace in NAMESPACES and path:
            self._reads.add(f"{namespace}.{path[0]}")
            return lambda values: _found(values, namespace, path)
        self._at -= 1
        if word in ("and", "or", "not", "is", "contains", "matches"):
            raise self._refused(f"`{token.text}` stands where a name, a text or a number is expected")
        if (said := _ELSEWHERE.get(word)) is not None:
            raise self._refused(f"`{token.text}` is not known here; {said}")
        if path or namespace in NAMESPACES:
            raise self._refused(f"`{token.text}` is not known; names begin with {', '.join(f'{known}.' for known in NAMESPACES)}")
        raise self._refused(f'`{token.text}` is not known; write slots.{token.text} for the slot, or "{token.text}" for the text')

    def _set(self) -> _Value:
        items: list[_Value] = []
        while (token := self._next()) is None or token.text != "}":
            if token is None:
                raise self._refused("a { is not closed")
            if token.text == "," and items:
                self._at += 1
            elif token.text in ("(", "{"):
                raise self._refused("a set has texts, numbers and names in it, nothing else")
            else:
                items.append(self._operand())
        self._at += 1
        return lambda values: [item(values) for item in items]

    def _pattern(self) -> re.Pattern[str]:
        token = self._next()
        if token is None or token.kind not in ("text", "pattern"):
            raise self._refused('`matches` needs a pattern in quotation marks: matches "[0-9]{4}"')
        try:
            made = _searching(token.text[1:-1].replace("\\/", "/") if token.kind == "pattern" else token.text[1:-1])
        except PatternRefused as refused:
            raise self._refused(f"this pattern cannot be used: {refused}") from None
        self._at += 1
        return made

    def _word(self, *words: str) -> str | None:
        token = self._next()
        if token is None or token.kind != "word" or token.text.lower() not in words:
            return None
        self._at += 1
        return token.text.lower()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refused(f"more than {MAX_DEPTH} parentheses stand in each other; make two steps of it")

    def _next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _refused(self, why: str) -> PredicateRefused:
        token = self._next()
        where = f"at character {token.at + 1}" if token is not None else "at its end"
        return PredicateRefused(f"{why} ({where} of {self._text.strip()})")


def _joined(word: str, left: _Value, right: _Value) -> _Value:
    if word == "and":
        return lambda values: _true(left(values)) and _true(right(values))
    return lambda values: _true(left(values)) or _true(right(values))


def _always(value: Any) -> _Value:
    return lambda values: value


def _found(values: Values, namespace: str, path: list[str]) -> Any:
    value: Any = values.get(namespace)
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _searching(source: str) -> re.Pattern[str]:
    """A safe pattern with Rasa's meaning: found anywhere in a text unless ``^`` or ``$`` says where, letter case counts."""
    start, end = source.startswith("^"), source.endswith("$")
    if end and (len(source) - len(source[:-1].rstrip("\\")) - 1) % 2:
        end = False  # the character itself is meant
    inner = source[start : len(source) - end]
    make_pattern(inner)
    return re.compile(("\\A" if start else "") + f"(?:{inner})" + ("\\Z" if end else ""), re.ASCII)
