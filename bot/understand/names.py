"""What a customer says their name is. English; the lists are all there is to edit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bot.understand.clauses import Found, Text
from memory.declared import LANGUAGES

CUES = ("name", "called", "call me", "i am", "i'm", "this is", "it's", "speaking")
"""One of these stands in every text that a rule below can match."""

SAID = 0.9
"""The customer says that it is their name."""

SAID_IN_SMALL_LETTERS = 0.86
"""The same without capital letters, in two words at most: further ones cannot be told from the sentence."""

LIKE_A_NAME = 0.6
"""It is in the place of a name, as in "I am Ann" and "This is Ann Lee"."""

MAX_WORDS, MAX_SMALL_WORDS = 6, 3
"""Words of a name, and of one that is written in small letters."""

MOST = 10
"""Places of each kind that are looked at in one message."""

GOES_ON = "and but from here calling writing speaking with i my the at again by"
"""After "I am Ann" only these words follow without a comma; with any other, as in "I am Premium member", it is no name."""

NO_NAMES = """
a about above absolutely acc account address afraid african after afternoon again agent all almost already also always am american an and
angry annoyed another any anyone anything anytime april are argentinian as asap asian asking assistant at august australian austrian away
back bad be because been before being belgian best better big birth bot both brazilian british broken buddhist but by called calling can
canadian cannot cant card catholic change changed chasing check checking chilean christian city claim clear colombian coming concerned
confirmed confused contacting contract correct correctly could currently customer daily date dear december definitely delighted different
directly director disappointed disgusted displayed do doctor does doesnt doing done dont down dr driver due each egyptian either else
email engineer enquiring european even evening ever every everyone everything extremely february fed few filipino fine first for forgotten
fraud friday from frustrated full fully furious further getting ghanaian given giving glad going gone good got great had half happy has
hasnt have having he hello help her here hers hey hi him hindu his home hoping how however human i id if ill im immediately in incorrect
incorrectly indian interested into iranian iraqi is isnt israeli it its ive jamaican january jewish july june just keen kenyan last late
later leaving lebanese less let letter letters like listed literally living locked looking lost mad madam made mail making malaysian
manager many march maybe me mexican midnight mine miss missing misspelled misspelt monday more morning moroccan most moving mr mrs ms much
muslim must mx my name named nearly need nepali never new next nigerian no nobody none noon not nothing november now number nurse october
of off ok okay old on once one only operator or order other our out outraged over overseas owner pakistani part patient perfectly person
peruvian ph phone phoning please pleased policy possible postcode pretty printed probably prof professor quite ready really recorded
reference regarding registered reporting retired reverend ridiculous right running sad same saturday saving savings say saying scam
scottish searching security see sending september she shocked shown sick since sir so social some someone something sorry spam speaking
spelled spelling spelt ssn state still struggling stuck student such sunday sure surprised swiss syrian teacher tempted tenant than thank
thanks that the their them then there these they thinking this those though thrilled through thursday tired to today together told
tomorrow tonight too travelling trying tuesday tunisian typing unable under unhappy unknown unsure until up upset urgent urgently us used
using venezuelan very via waiting want wanted was we wednesday well welsh were what when whenever where which while who whose why will
wish with without wondering working worried would writing wrong yea yeah yep yes yesterday yet you your yours zip zipcode
"""
"""Words that are no name, in the place where one could stand."""

PARTICLES = "van von de der den del della di da do dos du la le el al bin bint ibn ben ter ten zu y st"
"""Small words inside a name."""

TITLES = "mr mrs ms miss mx dr prof sir madam doctor professor reverend rev"

_goes_on = frozenset(GOES_ON.split())
_no_names = frozenset(NO_NAMES.split()) | {name.lower() for name in LANGUAGES.values()}
_particles = frozenset(PARTICLES.split())
_titles = frozenset(TITLES.split())
_WORD = re.compile(r"[ ]?([^\W\d_]{1,30}(?:['’-][^\W\d_]{1,30}){0,2})(\.?)")
_EXTRA = r"(?: (?:now|actually|also|really|still|currently))?"
_SAID = re.compile(
    rf"\b(?:my (?:full |real |first |legal |own )?name(?:'s| is){_EXTRA}|the name(?:'s| is)|i(?:'m| am) (?:called|named))[: ]+[\"']?"
    r"|\bmy (?:full |first )?name ?: ?|(?:^|\n)(?:full |first )?name ?: ?"
)
_CALL_ME = re.compile(r"\bcall me ")
_I_AM = re.compile(r"\b(?:i am|i'm) ")
_MY_NAME = re.compile(r"(?<!is )\bmy name (?!is\b|was\b|of\b)")
_IS_MY_NAME = re.compile(r"(?:^|[.!,\n]\s?)(?=[^\W\d_][\w' -]{1,40} is my name\b)")
_THIS_IS = re.compile(r"(?:^|[.!\n,]\s?)(?:(?:hi|hello|hey|good (?:morning|afternoon|evening))[ ,]+)?(?:this is|it's) ")
_SPEAKING = re.compile(r"[ ,]{1,2}(?P<speaking>speaking|here) *(?:$|[.,!\n])")
_OPENS_SPEAKING = re.compile(r"(?:^|[.!\n,]\s?)(?=[^\W\d_][\w' -]{1,60} speaking\b)")
_RULES = (
    (_SAID, SAID, SAID_IN_SMALL_LETTERS, False),
    (_CALL_ME, SAID, 0, False),
    (_THIS_IS, LIKE_A_NAME, 0, True),
    (_OPENS_SPEAKING, 0, 0, True),
    (_MY_NAME, LIKE_A_NAME, LIKE_A_NAME, False),
    (_I_AM, LIKE_A_NAME, 0, False),
)
"""A name begins where the match ends. How sure it is with capitals, and in small letters; whether "speaking" may follow and settle it."""

_NO_INITIALS = frozenset("aiunkry")
_NOT = re.compile(r"\b(?:not|never|isn't|don't|dont|didn't|wasn't)\b")
_INITIAL = re.compile(r"[^\W\d_]+")


def names(text: Text) -> Iterator[Found]:
    """Every place where the customer seems to say their name, the surest first."""
    for rule, sure, small, spoken in _RULES:
        for match in islice(rule.finditer(text.low), MOST):
            name = _read(text, match.end())
            if name is None:
                continue
            speaks = _SPEAKING.match(text.low, name.end) if spoken else None
            if speaks is None:
                yield from _found(text, name, sure, small)
            else:  # "it's cold here" is no name, but hardly anything cold is speaking
                yield from _found(text, name, SAID, SAID_IN_SMALL_LETTERS if speaks["speaking"] == "speaking" and rule is _THIS_IS else 0)
    for match in islice(_IS_MY_NAME.finditer(text.low), MOST):
        name = _read(text, match.end())
        if name is not None and text.low.startswith(" is my name", name.end):
            yield from _found(text, name, SAID, SAID_IN_SMALL_LETTERS)


@dataclass(frozen=True, slots=True)
class _Name:
    """Words that can be a name, and where they stand. ``small``: they are not told from other words by capital letters."""

    words: tuple[str, ...]
    start: int
    end: int
    small: bool

    @property
    def full_words(self) -> int:
        """Without initials and particles."""
        return sum(len(word.rstrip(".")) > 1 and word.lower() not in _particles for word in self.words)

    def shown(self) -> str:
        if not self.small:
            return " ".join(self.words)
        words = (word.lower() if word.lower() in _particles and place else _capital(word) for place, word in enumerate(self.words))
        return " ".join(words)


def _found(text: Text, name: _Name, sure: float, small: float) -> Iterator[Found]:
    confidence = sure
    if name.small:
        # A third word in small letters may belong to the sentence.
        confidence = small if name.full_words < MAX_SMALL_WORDS else min(small, LIKE_A_NAME)
    clause = text.clause(name.start, name.end)
    if sure == LIKE_A_NAME and not _alone(name.words, clause.after):
        return
    if not confidence or clause.inquires or clause.denied or _followed_badly(text, name.end, digits=sure != LIKE_A_NAME):
        return
    if _NOT.search(clause.before) or clause.others:
        confidence = min(confidence, LIKE_A_NAME)
    yield Found("name", name.shown(), clause.capped(confidence), name.start, name.end)


def _read(text: Text, at: int) -> _Name | None:
    """The name that begins at ``at``, if what stands there can be one. A title is left out; a title and a single word say nothing of how
    the customer wants to be called."""
    words: list[str] = []
    shouted = text.text.isupper()
    titled = capital = False
    full = 0
    start = end = at
    while len(words) < MAX_WORDS and (match := _WORD.match(text.text, end)):
        word, dot = match[1], match[2]
        low = word.lower()
        if low.replace("’", "'").endswith(("'s", "n't", "'re", "'ll", "'ve")):
            return None  # "this is Ann's husband", "my name isn't Ann"
        if not words and low in _titles:
            titled, end = True, match.end()
            start = end + 1
            continue
        if match[0][0] == " " and not words and not titled:
            break  # the cue ends where the name begins
        particle = low in _particles and (words or not word.islower())
        initial = len(word) == 1 and word.isascii() and bool(words)
        if not particle and (low in _no_names or (initial and low in _NO_INITIALS) or (len(word) == 1 and word.isascii() and not words)):
            break
        small = shouted or not word[0].isupper()
        if capital and not shouted and not particle and word[0].islower():
            break  # "Ann lost her card": a name with capitals goes on with capitals
        if small and not capital and not initial and not particle and full == MAX_SMALL_WORDS:
            break
        capital = capital or word[0].isupper()
        full += not initial and not particle
        words.append(word + dot if initial else word)
        end = match.end() if initial else match.end(1)
        if dot and not initial:
            break
    while len(words) > 1 and words[-1].lower() in _particles:
        end -= len(words.pop()) + 1
    if not words or (titled and len(words) < 2):
        return None
    return _Name(tuple(words), start, end, shouted or words[0][0].islower())


def _alone(words: Sequence[str], after: str) -> bool:
    """Whether nothing beside or in these words makes something else of them than a name: "I am VIP", "I am Premium member"."""
    following = after.split(maxsplit=1)
    return not any(word.isupper() and len(word) > 1 for word in words) and (not following or following[0] in _goes_on)


def _followed_badly(text: Text, end: int, *, digits: bool) -> bool:
    """A possessive or an address, or, unless ``digits`` may follow, a number ("I am Level 3")."""
    rest = text.low[end : end + 3]
    return rest.startswith(("'s", "@", "-", "/")) or rest[:1].isalnum() or (not digits and rest[:1] in " _" and rest[1:2].isdigit())


def _capital(word: str) -> str:
    return _INITIAL.sub(lambda match: match[0].capitalize(), word)
