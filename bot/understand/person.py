"""Whether a message asks for a person. English; the word lists at the top are all there is to edit."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.understand.words import Spelling, words_of

ROLES = "human agent representative rep operator advisor adviser manager supervisor humanbeing teammember staffmember"
"""Words for a person who works here; each counts in the plural too."""

ANYBODY = "person someone somebody anyone anybody people staff employee consultant specialist colleague"
"""Words that mean a person who works here only in plainer requests."""

SERVICES = "customerservice customercare customersupport callcentre livechat livesupport helpdesk supportteam"
"""Departments, as ``_JOINED`` writes them."""

MACHINES = "bot chatbot robot machine computer ai automated automat"

BETWEEN = """
a an the any some one another your my our actual real live human proper customer service care support bank banking insurance claims
claim telecom company senior different qualified other sort kind of physical nice
"""
"""What may stand between the verb and the person. A word that is not here makes another thing of it: a travel agent, a cleaning agent."""

AFTER = """
please pls plz now here who about regarding for from on at or and instead i because right asap today immediately as then thanks thank if
not directly urgently so with online available via by again tomorrow quickly sir madam but else real when this my is there am we can
could concerning via over cos since only
"""
"""What may follow the person. A word that is not here makes another thing of it: agent fees, human resources."""

OTHERS = "no my your the of this that our travel estate cleaning"
"""Before the person at the end of a sentence, these make them somebody else's: the address of my agent please."""

DOING = "talk speak chat help call contact assist handle explain look take answer solve resolve sort deal check discuss phone ring reply"

_JOINED = (
    (re.compile(r"\bcustomer (?:services?|relations)\b"), "customerservice"),
    (re.compile(r"\bcustomer care\b"), "customercare"),
    (re.compile(r"\bcustomer support\b"), "customersupport"),
    (re.compile(r"\bcall cent(?:er|re)\b"), "callcentre"),
    (re.compile(r"\blive chat\b"), "livechat"),
    (re.compile(r"\blive support\b"), "livesupport"),
    (re.compile(r"\bhelp desk\b"), "helpdesk"),
    (re.compile(r"\bsupport team\b"), "supportteam"),
    (re.compile(r"\bhuman beings?\b"), "humanbeing"),
    (re.compile(r"\bteam members?\b|\bmembers? of (?:the |your )?team\b"), "teammember"),
    (re.compile(r"\bstaff members?\b|\bmembers? of (?:the |your )?staff\b"), "staffmember"),
)

MISSPELT = """
human agent representative operator advisor manager supervisor person someone somebody customer service speak talk connect transfer
"""
"""Words that are known again one slip away."""

REAL_WORDS = """
agency agenda argent aged agents humane humid humans parson persona personal persons operate operated operates operators represent
represented advise advised advisers advisors manage managed manages managers manger customers customs custom services serviced server
speaks spear steak spark sneak tall task tale tank tack taken talks talked connected connects contact collect transfers transferred
supervise supervisors
"""
"""Words that are near one of ``MISSPELT`` and mean what they say."""

_real_words = frozenset(REAL_WORDS.split())
_spelling = Spelling(MISSPELT.split())


def _any_of(words: str) -> str:
    return "(?:" + "|".join(sorted(words.split(), key=len, reverse=True)) + ")"


_ROLE = _any_of(ROLES) + "s?"
_ANYBODY = _any_of(ANYBODY)
_SERVICE = _any_of(SERVICES)
_BETWEEN = f"(?:{_any_of(BETWEEN)} )*"
_STAFF = f"{_BETWEEN}(?:{_ROLE}|{_SERVICE})"
_WHOEVER = f"{_BETWEEN}(?:{_ROLE}|{_SERVICE}|{_ANYBODY})"
_DOING = _any_of(DOING)
_MACHINE = f"{_any_of(MACHINES)}s?"
_HEAD = rf"(?=$| (?:{_any_of(AFTER)}|to {_DOING}|in (?:charge|person|your|the))(?: |$))"
"""The person is what is asked for, and not the beginning of another word's name."""
_PERSON_HEAD = rf"(?=$| (?:please|pls|plz|now|here|instead|not|asap|on the phone|to {_DOING}|who can|that can)(?: |$))"
_TALK = "(?:speak|talk|chat|spk)"
_CASE = "(?:me|us|this|it|my call|my case|this chat|this case|the chat|the call)"
_SEND_ON = "(?:connect|transfer|put|pass|switch|redirect|forward|direct|route|hand|escalate|move|refer|patch|get)"
_THROUGH = "(?:over|through|thru|on|up|straight|directly|now|please)"
_WANT = (
    "want|wants|need|require|prefer|request|demand|wanna|get|give|reach|contact|call|phone|ring|bring|message|find|have|i have|deal with|"
    "ask for|asking for|looking for|waiting for|wait for|hear from|help from|how about|(?:would|id|should) (?:rather (?:have )?|like )"
)
_LET = "(?:can|could|may|will|would|let|have|want|need|should)"
_CALL_ME = rf"(?:call|phone|ring|contact|text|{_TALK}|reach|get back|give me a call)\b(?: (?:to|with|back))* (?:me|us|back)\b"
_NOT_OF = "".join(f"(?<!{word} )" for word in OTHERS.split())
_POLITE = """
please pls plz now asap immediately urgently only sir madam thanks you required needed wanted here right instead help thank
"""
_OPENING = "hi hello hey ok okay yes yeah just only now please pls plz sorry stop a an real live human actual any i said say"

_REQUESTS = tuple(
    re.compile(rf"\b(?:{pattern})")
    for pattern in (
        # speak to an agent; I prefer talking to a person; a word with your manager
        rf"{_TALK} (?:(?:it over|this over|directly|live|online|again|now) )?(?:(?:to|with|too) )?{_WHOEVER}{_HEAD}",
        rf"(?:prefer|like|insist on|mind|want|wanna|possible) {_TALK}(?:ing|king)? (?:to|with) {_WHOEVER}{_HEAD}",
        rf"(?:word|chat|call|conversation|talk|appointment) with {_WHOEVER}{_HEAD}",
        # put me through to someone; connect to agent
        rf"{_SEND_ON} {_CASE}(?: {_THROUGH})* (?:to|with|through|into) {_WHOEVER}{_HEAD}",
        rf"(?:connect|transfer|put|pass|switch|escalate|forward|redirect)(?: (?:over|through))? (?:to|with) {_STAFF}{_HEAD}",
        # I need an agent; give me a real person
        rf"(?:{_WANT}) ?(?:(?:me|us|to) )?{_STAFF}{_HEAD}",
        rf"(?:want|need|prefer|get|get me|give me|bring me|find me|would like|id like|is there|help from|answer from) {_BETWEEN}"
        rf"(?:person|people){_PERSON_HEAD}",
        # is there an agent available; someone I can talk to; someone to talk to; do you have real people
        rf"(?:is|are|if) (?:there )?{_STAFF} (?:available|there|online|here|around|free|on duty|(?:i|who|that) can|to {_TALK})\b",
        rf"(?:any|an) {_ROLE} (?:available|there|online|here|around|free)\b",
        rf"(?:{_ROLE}|{_ANYBODY})(?: \w+)? (?:i|we) (?:can|could|may) {_TALK}\b",
        rf"(?:{_ROLE}|{_ANYBODY})(?: \w+)? (?:available )?to {_TALK} (?:to|with)\b(?! you)",
        rf"do(?:nt)? you have {_BETWEEN}(?:{_ROLE}|people|staff){_HEAD}",
        # can someone call me back; could an advisor help
        rf"(?:{_LET}|get|ask|please|if) {_WHOEVER} (?:(?:please|just|kindly) )?(?:to )?{_CALL_ME}",
        rf"{_LET} {_STAFF} (?:(?:please|just) )?(?:to )?{_DOING}\b",
        # my card is stolen human please
        rf"{_NOT_OF}(?:{_ROLE}|{_SERVICE}|(?:real|live|actual|human) person) (?:please|pls|plz|asap|required)$",
        # I do not want to talk to a robot; no bots
        rf"(?:dont|not|never) (?:(?:want|like|wish|need|wanna|going) )?(?:to )?(?:{_TALK}|deal|be|want)(?:ing)? (?:to |with )?"
        rf"{_BETWEEN}{_MACHINE}\b",
        rf"no (?:more )?{_MACHINE}(?= please|$| i)",
    )
)
_BARE = re.compile(rf"(?:{_any_of(_OPENING)} )*(?:(?:customer|support|bank) )?(?:{_ROLE}|{_SERVICE}|person)(?: {_any_of(_POLITE)})*")
_REFUSING = """
want need needed wish like have wanting think i we to a an any the please even really actually me us you get be asking asked for with
now yet today require necessary let speak talk my your
"""
_REFUSED = re.compile(
    rf"\b(?:dont|doesnt|do not|did not|not|never|without|wont|stop)(?: {_any_of(_REFUSING)})* $"
    r"|\b(?:no|instead of|rather than|than)(?: (?:need|needs|to|for|a|an|any|more|real|further|point|reason|have|in|speak|talk))* $"
    r"|\bam i $"
)
"""What stands before a request that is none; between the refusal and the request there is nothing but these words."""
_NOT_REFUSED = re.compile(r"^(?:dont|not|never|no|do)")
_CLAUSE_END = re.compile(r"[.,;:!?\n()]+| - |\b(?:but|although|though)\b", re.IGNORECASE)
_HINT = re.compile(rf"{_ROLE}|{_SERVICE}|{_ANYBODY}|{_any_of(MACHINES)}")


def asks_person(text: str) -> bool:
    """Whether ``text`` asks to be passed to a person, in any of its clauses. A request that is refused ("no agent please") is none."""
    return any(_clause_asks(clause) for clause in _CLAUSE_END.split(text) if clause)


def _clause_asks(clause: str) -> bool:
    said = " ".join(_corrected(words_of(clause)))
    for pattern, joined in _JOINED:
        said = pattern.sub(joined, said)
    if not _HINT.search(said):
        return False
    if _BARE.fullmatch(said):
        return True
    return any(_stands(said, match) for pattern in _REQUESTS for match in pattern.finditer(said))


def _stands(said: str, match: re.Match[str]) -> bool:
    """Whether a request is meant: its own words hold the negation, or none stands before it."""
    return bool(_NOT_REFUSED.match(match[0])) or not _REFUSED.search(said[: match.start()])


def _corrected(words: Sequence[str]) -> list[str]:
    return [word if word in _real_words else _spelling.nearest(word) or word for word in words]
