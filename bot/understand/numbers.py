"""Numbers and amounts as customers write them: "£1,204.50", "50 quid", "1.2k", "two hundred and fifty", "3 fifty". Pure; English.

The time for a text grows with its length and nothing else: it is cut into words once, and each word is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SMALL = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
"""
_ONES = {word: value for value, word in enumerate(_SMALL.split())}
_TENS = {
    word: 20 + 10 * value for value, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
} | {"fourty": 40}
_TIMES = {"thousand": 1000, "k": 1000, "grand": 1000, "million": 1_000_000, "mil": 1_000_000, "m": 1_000_000}
_POUNDS = frozenset(["£", "€", "$", "pound", "pounds", "quid", "gbp", "euro", "euros", "eur", "dollar", "dollars", "usd", "sterling"])
_PENCE = frozenset(["p", "pence", "penny", "cent", "cents"])
_PERIOD_WORDS = """
day days week weeks month months year years hour hours minute minutes min mins am pm times o oclock
"""
_PERIODS = frozenset(_PERIOD_WORDS.split())
_BEFORE_ONE = frozenset(
    ["just", "only", "is", "its", "need", "want", "like", "have", "for", "to", "and", "take", "order", "about", "get", "me", "s"]
)
_NOT_ONE = frozenset(["of", "day", "more", "moment", "second", "minute", "sec", "that", "which", "thing", "that's"])
DIGIT_WORDS = {**{word: str(value) for word, value in _ONES.items() if value < 10}, "oh": "0", "o": "0", "nought": "0", "nil": "0"}
"""What single digits are called when a number is read out."""

_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d{1,9})?(?![\d,])"
    r"|\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)|\d{1,15},\d{1,2}(?!\d)|\d{1,3}(?: 000)+(?!\d)|\d{1,15}(?:\.\d{1,9})?)"
    r"|(?P<word>[a-z]+)|(?P<sign>[£€$])|(?P<space>[\s-]+)|(?P<other>.)",
    re.DOTALL,
)
_WORDY = re.compile(
    r"\d|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,5}teen|\w{3,5}ty|hundred|thousand|grand|million|dozen|couple|half)\b"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that a text has, from ``start`` up to ``end``. ``money``: with a currency; ``period``: so many days or the like."""

    value: float
    start: int
    end: int
    money: bool = False
    period: bool = False
    digits: bool = True


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def figures(low: str) -> list[Figure]:
    """The numbers in ``low``, a text in lower case, in its order. What is a part of a date, a time or a longer code is none."""
    if not _WORDY.search(low):
        return []
    tokens = [_Token(match.lastgroup or "", match[0], *match.span()) for match in _TOKEN.finditer(low)]
    return list(_joined(list(_simple(tokens, low)), low))


def _simple(tokens: Sequence[_Token], low: str) -> Iterator[Figure]:
    """Numbers with their units, before pounds and pence are put together."""
    at = 0
    while at < len(tokens):
        read = _Reader(tokens, at, low)
        value = read.run()
        if value is None:
            at = max(read.at, at + 1)
            continue
        yield _with_unit(tokens, at, read.at, value, low, digits=tokens[at].kind == "number")
        at = read.at


class _Reader:
    """Reads one number that begins at a token; ``at`` is the token after it."""

    def __init__(self, tokens: Sequence[_Token], at: int, low: str) -> None:
        self._tokens, self._begin, self.at, self._low = tokens, at, at, low
        self._total, self._part = 0.0, None  # type: float, float | None
        self._last = ""
        self._scale = float("inf")

    def run(self) -> float | None:
        end = self.at
        while (token := self._peek()) is not None and self._take(token):
            end = self.at
        self.at = end
        if not self._last:
            return None
        return self._total + (self._part or 0.0)

    def _peek(self) -> _Token | None:
        """The next word or number; a space may stand before it once the number has begun."""
        at = self.at
        if at > self._begin and at < len(self._tokens) and self._tokens[at].kind == "space":
            at += 1
        if at >= len(self._tokens) or (self._tokens[at].kind not in ("number", "word")):
            return None
        self.at = at
        return self._tokens[at]

    def _take(self, token: _Token) -> bool:
        if token.kind == "number":
            return self._take_digits(token)
        word, last = token.text, self._last
        if word in _ONES:
            value, ok = float(_ONES[word]), last in ("", "hundred", "times", "and") or (last == "tens" and 0 < _ONES[word] < 10)
            return self._add(value, "ones", ok)
        if word in _TENS:
            return self._add(float(_TENS[word]), "tens", last in ("", "hundred", "times", "and"))
        if word == "hundred" and last in ("ones", "digits", "a", "few") and self._part is not None and self._part < 100:
            self._part *= 100
            return self._done("hundred")
        if word == "dozen" and last in ("ones", "a") and self._part is not None:
            self._part *= 12
            return self._done("dozen")
        if word in _TIMES and last not in ("", "times", "and") and _TIMES[word] < self._scale:
            self._total += (self._part if self._part is not None else 1.0) * _TIMES[word]
            self._part, self._scale = None, _TIMES[word]
            return self._done("times")
        return self._take_small(word)

    def _take_small(self, word: str) -> bool:
        ahead = self._words(3)
        if word in ("a", "an") and self._last == "" and len(ahead) > 1:
            if ahead[1] in ("hundred", "dozen") or (ahead[1] in _TIMES and len(ahead[1]) > 2):
                self._part = 1.0
                return self._done("a")
            return False
        if word == "couple" and self._last == "":
            more = ahead[1:2] == ["of"]
            if (ahead[2:3] if more else ahead[1:2]) in (["hundred"], ["thousand"], ["grand"]):
                self._part = 2.0
                self._skip(2 if more else 1)
                self._last = "few"
                return True
            return False
        if word == "half" and self._last == "" and ahead[1:2] == ["a"] and ahead[2:3] == ["million"]:
            self._part = 0.5
            self._skip(2)
            self._last = "few"
            return True
        if word == "and" and self._last in ("hundred", "times", "ones", "digits") and ahead[1:3] == ["a", "half"]:
            self._part = (self._part or 0.0) + 0.5
            self._skip(3)
            self._last = "few"
            return True
        if (
            word == "and"
            and self._last in ("hundred", "times")
            and len(ahead) > 1
            and (ahead[1] in _ONES or ahead[1] in _TENS or ahead[1].isdigit())
        ):
            return self._done("and")
        if word == "point" and self._last in ("ones", "tens", "digits") and len(ahead) > 1 and (ahead[1] in _ONES and _ONES[ahead[1]] < 10):
            self._part = (self._part or 0.0) + _ONES[ahead[1]] / 10
            self._skip(2)
            self._last = "end"
            return True
        return False

    def _take_digits(self, token: _Token) -> bool:
        if self._last not in ("", "hundred", "times", "and") or not _stands_alone(self._low, token):
            return False
        value = number_of(token.text)
        if self._last and (value >= self._limit() or "." in token.text):
            return False
        return self._add(value, "digits", True)

    def _limit(self) -> float:
        return 100.0 if self._part else self._scale

    def _add(self, value: float, kind: str, ok: bool) -> bool:
        if not ok:
            return False
        self._part = (self._part or 0.0) + value
        return self._done(kind)

    def _done(self, kind: str) -> bool:
        self._last = kind
        self.at += 1
        return True

    def _skip(self, words: int) -> None:
        while words and self.at < len(self._tokens):
            words -= self._tokens[self.at].kind != "space"
            self.at += 1

    def _words(self, most: int) -> list[str]:
        """This word and those after it, with nothing but spaces between them."""
        found: list[str] = []
        for token in self._tokens[self.at : self.at + 2 * most]:
            if token.kind in ("word", "number"):
                found.append(token.text)
            elif token.kind != "space":
                break
        return found[:most]


def number_of(text: str) -> float:
    """What a number in digits is worth: a comma before three digits, or a point before three and a comma, separates thousands."""
    text = text.replace(" ", "")
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and (point > comma or (point < 0 and len(text) - comma == 4)):
        text = text.replace(",", "")
    elif comma >= 0:
        text = text.replace(".", "").replace(",", ".")
    return float(text)


def _stands_alone(low: str, token: _Token) -> bool:
    """Whether digits are a number of their own: no part of a date, a time, a range, an ordinal or a code with letters."""
    before, after = low[max(0, token.start - 2) : token.start], low[token.end : token.end + 3]
    if before[-1:] and (before[-1].isalnum() or before[-1] in "_@#" or (before[-1] in ".,/:-–" and before[:1].isdigit())):
        return False
    if after[:1] in ("/", ":", "-", "–", ".", ",") and after[1:2].isdigit():
        return False
    if after[:2] in ("st", "nd", "rd", "th") and not after[2:3].isalpha():
        return False
    return not after[:1].isdigit() and after[:1] not in ("_", "@")


def _with_unit(tokens: Sequence[_Token], first: int, after: int, value: float, low: str, *, digits: bool) -> Figure:
    start, end = tokens[first].start, tokens[after - 1].end
    money = period = False
    before = first - 1
    if before >= 0 and tokens[before].kind == "space" and "-" not in tokens[before].text:
        before -= 1
    if before >= 0 and tokens[before].kind == "sign":
        money, start = True, tokens[before].start
    if digits and start and low[start - 1] == "-" and not low[max(0, start - 2) : start - 1].isalnum():
        value, start = -value, start - 1
    unit = after + 1 if after < len(tokens) and tokens[after].kind == "space" else after
    if unit < len(tokens) and tokens[unit].kind in ("word", "sign"):
        word = tokens[unit].text
        if word in _POUNDS:
            money, end = True, tokens[unit].end
        elif word in _PENCE and not money:
            value, money, end = round(value / 100, 4), True, tokens[unit].end
        elif word in _PERIODS:
            period = True
    return Figure(value, start, end, money, period, digits)


def _joined(found: Sequence[Figure], low: str) -> Iterator[Figure]:
    """Pounds and pence as one amount: "3 pounds 50", "£3 50", "3 fifty"; and without those that are no numbers, as in "the blue one"."""
    at = 0
    while at < len(found):
        one = found[at]
        after = found[at + 1] if at + 1 < len(found) else None
        if after is not None and low[one.end : after.start].strip(" ") in ("", "and") and one.value == int(one.value) and one.value >= 0:
            small = low[after.start : after.end]
            pence = after.value if not after.money else after.value * 100 if small.endswith(("p", "pence")) and after.value < 1 else -1
            two = (not after.digits and 10 <= pence < 100) or (len(small) == 2 and small.isdigit()) or (after.money and 0 < pence < 100)
            plain = one.digits and not one.money and one.value < 100 and not after.digits
            if pence == int(pence) and two and not after.period and (one.money or plain):
                yield Figure(round(one.value + pence / 100, 2), one.start, after.end, True, False, one.digits)
                at += 2
                continue
        if not _is_pronoun(one, low):
            yield one
        at += 1


def _is_pronoun(one: Figure, low: str) -> bool:
    """ "one" for a thing, and no number: "the blue one", "one of them"."""
    if low[one.start : one.end] != "one":
        return False
    before, after = re.findall(r"[a-z']+", low[max(0, one.start - 30) : one.start]), re.findall(r"[a-z']+", low[one.end : one.end + 20])
    return bool(before and before[-1] not in _BEFORE_ONE) or bool(after and after[0] in _NOT_ONE)


def spelled_out(low: str) -> str:
    """``low`` with numbers that are read out digit by digit in digits: "one two double three" is 1233. Three digits at least."""
    if not _SPELLED.search(low):
        return low
    return _SPELLED.sub(_digits_of, low)


_ONE_DIGIT = rf"(?:(?:double|triple)[\s,-]{{1,2}})?(?:{'|'.join(DIGIT_WORDS)})"
_SPELLED = re.compile(rf"\b{_ONE_DIGIT}(?:[\s,-]{{1,2}}{_ONE_DIGIT}){{2,24}}\b")


def _digits_of(match: re.Match[str]) -> str:
    times, digits = 1, []
    for word in re.findall(r"[a-z]+", match[0]):
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
            continue
        digits.append(DIGIT_WORDS[word] * times)
        times = 1
    return "".join(digits)
