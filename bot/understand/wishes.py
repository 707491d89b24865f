"""How a customer wants to be treated: language, hours, channel, tone, how often, and that offers are to stop. English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias

from bot.understand.clauses import Clause, Found, Text
from memory.declared import CHANNEL, FREQUENCY, HOURS, LANGUAGE, LANGUAGES, TONE, Declarations

OFFERS = "offers"
"""The purpose whose consent a customer takes back by asking for no more offers."""

WISHED = 0.9
"""It is asked for in words that mean this and nothing else."""

IMPLIED = 0.7
"""It may be meant for this once, or an hour may be in the morning or the evening."""

HINTED = 0.6
"""It is asked whether it could be."""

MOST = 5
"""Places at which one rule is looked at in one message."""

Wish: TypeAlias = tuple[float, str | bool, int, int]
"""Confidence, value, start and end."""


def wishes(text: Text, declarations: Declarations) -> Iterator[Found]:
    """Every wish in ``text``, of which one sentence may hold several."""
    low = text.low
    for name, cues, verbs, read in _READERS:
        if any(map(low.__contains__, cues)) and any(map(low.__contains__, verbs)):
            for confidence, value, start, end in read(text):
                yield Found(name, value, confidence, start, end)
    purpose = declarations.purposes.get(OFFERS)
    if purpose is not None and purpose.needs_consent and any(map(low.__contains__, _OFFER_CUES)):
        for confidence, value, start, end in _offers(text):
            yield Found(f"consent:{OFFERS}", value, confidence, start, end)


# What somebody asks not to happen: "please don't" right before a rule's first word turns it round.
_DENIAL = re.compile(r"\b(?:don't|dont|do not|doesn't|not|never|stop|without|can't|cant|cannot|no)(?: \w+){0,2} ?$")

_CONTACT = r"(?:call|ring|phone|contact|message|text|write to|disturb|bother)"


def _meant(text: Text, match: re.Match[str]) -> Clause | None:
    """The clause of ``match``; None where it is denied, asked, or about somebody else."""
    clause = text.clause(match.start(), match.end())
    if clause.inquires or clause.others or _DENIAL.search(clause.before):
        return None
    return clause


_names = {name.lower(): code for code, name in LANGUAGES.items()}
_own_names = {
    "deutsch": "de",
    "français": "fr",
    "francais": "fr",
    "español": "es",
    "espanol": "es",
    "italiano": "it",
    "português": "pt",
    "portugues": "pt",
    "polsku": "pl",
}
_language = f"(?P<language>{'|'.join(sorted(_names, key=len, reverse=True))})\\b"
_LANGUAGE_RULES = (
    (
        WISHED,
        r"\b(?:write|reply|answer|respond|talk|speak|chat|text|message|communicate)(?: (?:to|with) (?:me|us))?(?: only)? in " + _language,
    ),
    (WISHED, rf"\bin {_language},? (?:please|pls|if possible|from now on|only)\b"),
    (WISHED, rf"\b(?:please|pls) in {_language}"),
    (WISHED, rf"\b(?:i|we)(?:'d| would)? prefer (?:to (?:speak|write|talk|chat|communicate) )?(?:in )?{_language}"),
    (WISHED, rf"\bmy (?:preferred |first )?language is {_language}"),
    (WISHED, rf"\b(?:auf|en|em|po|in) (?P<language>{'|'.join(_own_names)})\b"),
    (IMPLIED, rf"\b(?:switch|change) to {_language}"),
    (IMPLIED, rf"\b(?:speak|talk|write|chat) to (?:someone|somebody|a person|an agent|anyone) in {_language}"),
    (HINTED, rf"\bcan (?:we|i|you) (?:please )?(?:speak|talk|write|chat)(?: in)? {_language}"),
    (HINTED, rf"\b(?:do|does) (?:you|anyone|anybody|someone) (?:here )?(?:speak|write) {_language}"),
)


_OR_LANGUAGE = re.compile(rf",? (?:or|and) (?:in )?{_language}")


def _language_wish(text: Text) -> Iterator[Wish]:
    for confidence, rule in _language_rules:
        for match in islice(rule.finditer(text.low), MOST):
            # A hint is a question by nature.
            if (confidence == HINTED or _meant(text, match) is not None) and not _OR_LANGUAGE.match(text.low, match.end()):
                said = match["language"]
                yield confidence, _names.get(said) or _own_names[said], *match.span()


def _time(name: str) -> str:
    return rf"(?P<{name}>\d{{1,2}}(?:[:.]\d{{2}})?)(?: ?(?P<{name}_half>am\b|pm\b|a\.m\.|p\.m\.|o'clock))?(?![\d:%£€]|\.\d)"


_HOUR_RULES = (
    (False, rf"\b(?:don't|dont|do not|never|not to|please not) (?:ever )?{_CONTACT}(?: me)? (?P<word>after|before) {_time('at')}"),
    (False, rf"\bno (?:more )?(?:calls|messages|texts|contact)(?: please)? (?P<word>after|before) {_time('at')}"),
    (True, rf"\b(?:only {_CONTACT} me|{_CONTACT} me only) (?P<word>after|before) {_time('at')}"),
    (True, rf"\b{_CONTACT} me (?:only |best )?(?P<word>between|from) {_time('at')} (?:and|to|until|till) {_time('to')}"),
)
_ONCE = re.compile(r"\b(?:today|tonight|tomorrow|this|next|later|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b")


_OR_TIME = re.compile(rf",? (?:or|and|nor) (?P<word>after|before) {_time('at')}")


def _hours_wish(text: Text) -> Iterator[Wish]:
    for wanted, rule in _hour_rules:
        for match in islice(rule.finditer(text.low), MOST):
            clause = text.clause(*match.span())
            if clause.inquires or clause.others or _ONCE.search(clause.sentence) or (wanted and _DENIAL.search(clause.before)):
                continue
            parts, end = [match], match.end()
            if match["word"] in ("after", "before") and (second := _OR_TIME.match(text.low, end)):
                parts.append(second)
                end = second.end()
            read = [hours for part in parts if (hours := _hours(part, wanted=wanted)) is not None]
            first, last = max((one[0] for one in read), default=0), min((one[1] for one in read), default=0)
            if len(read) == len(parts) and first < last:
                sure = all(plain for *_, plain in read) and (not wanted or "only" in match[0])
                yield WISHED if sure else IMPLIED, _span(first, last), match.start(), end


def _hours(match: re.Match[str], *, wanted: bool) -> tuple[int, int, bool] | None:
    """The hours that are left, in minutes after midnight, and whether it was said which half of the day is meant."""
    groups = match.groupdict()
    first, plain = _clock(groups["at"], groups["at_half"])
    if first is None:
        return None
    if groups["word"] in ("between", "from"):
        last, last_plain = _clock(groups["to"], groups["to_half"])
        if last is None:
            return None
        if not plain and first < 7 * 60:
            first += 12 * 60
        if not last_plain and last <= first and last <= 12 * 60:
            last += 12 * 60
        return first, last, plain and last_plain
    # Nobody is called at night: "not after 6" is six in the evening, "not before 9" is nine in the morning.
    late = groups["word"] == "after" if not wanted else first < 8 * 60
    if not plain and late and first < 12 * 60:
        first += 12 * 60
    ends_then = (groups["word"] == "after") != wanted
    return (0, first, plain) if ends_then else (first, 24 * 60, plain)


def _clock(said: str, half: str | None) -> tuple[int | None, bool]:
    """Minutes after midnight, and whether the half of the day is plain: am, pm, or an hour that only one half has."""
    hour_text, _, minute_text = said.replace(".", ":").partition(":")
    hour, minute = int(hour_text), int(minute_text or 0)
    if hour > 23 or minute > 59:
        return None, False
    marked = half is not None and half[0] in "ap" and hour <= 12
    if marked and half is not None:
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    return hour * 60 + minute, marked or hour > 12 or hour_text.startswith("0")


def _span(start: int, end: int) -> str:
    return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (start, end))


_CHANNELS: Mapping[str, str] = {
    "e-mail": "email",
    "email": "email",
    "mail": "letter",
    "post": "letter",
    "letter": "letter",
    "phone": "phone",
    "telephone": "phone",
    "text message": "text message",
    "text messages": "text message",
    "sms": "text message",
    "text": "text message",
    "telegram": "telegram",
    "web chat": "web",
    "the website": "web",
}
_channel = f"(?P<channel>{'|'.join(sorted(_CHANNELS, key=len, reverse=True))})\\b"
_CHANNEL_RULES = (
    (WISHED, rf"\b(?:i|we)(?:'d| would)?(?: much)? prefer (?:to be (?:contacted|reached) )?(?:by |via |over |on )?{_channel}"),
    (WISHED, rf"\b(?:contact|reach|write to|reply to|get in touch with) (?:me|us) (?:only )?(?:by|via|through|over|on) {_channel}"),
    (WISHED, rf"\b(?:please|always) (?:only |just )?use {_channel}(?! (?:address|number))"),
    (WISHED, rf"\bmy preferred (?:channel|contact|method|way)(?: to be contacted| of contact)? is (?:by )?{_channel}"),
    (IMPLIED, rf"\b(?:by|via|over|use) {_channel} (?:instead|only|rather|from now on)\b"),
)
_OR = re.compile(rf" (?:or|and) (?:by |via |on )?{_channel}")


def _channel_wish(text: Text) -> Iterator[Wish]:
    for confidence, rule in _channel_rules:
        for match in islice(rule.finditer(text.low), MOST):
            # Two channels at a time are no preference.
            if _meant(text, match) is not None and not _OR.match(text.low, match.end()):
                yield confidence, _CHANNELS[match["channel"]], *match.span()


_TONE_RULES = (
    ("formal", r"\b(?:don't|dont|do not) (?:call me by|use|address me by) my first name\b"),
    ("formal", r"\b(?:more formal|formal please|less (?:familiar|casual|informal))\b"),
    ("formal", r"\b(?:call|use|address) (?:me by )?my (?:surname|last name)\b"),
    ("friendly", r"\b(?:call|use|address) (?:me by )?my first name\b"),
    ("friendly", r"\b(?:don't|dont|do not|no need to) (?:have to |need to )?be (?:so |that |too )?formal\b"),
    ("friendly", r"\b(?:less formal|more informal|you can be informal|keep it informal)\b"),
)


def _tone_wish(text: Text) -> Iterator[Wish]:
    return _first(text, _tone_rules)


_OFTEN_RULES = (
    ("weekly", rf"\b{_CONTACT} me (?:only |just |at most |no more than )?(?:once a week|weekly|every week)\b"),
    ("monthly", rf"\b{_CONTACT} me (?:only |just |at most |no more than )?(?:once a month|monthly|every month)\b"),
    ("any", rf"\b{_CONTACT} me (?:at )?(?:any ?time|as often as you like)\b"),
    ("never", r"\b(?:stop|quit) (?:contacting|messaging) me\b(?! (?:on|at|by|via|about|after|before))"),
    ("never", r"\b(?:don't|dont|do not|never) contact me(?: ever)?(?: again| any ?more)\b"),
)


def _often_wish(text: Text) -> Iterator[Wish]:
    return _first(text, _often_rules)


def _first(text: Text, rules: tuple[tuple[str, re.Pattern[str]], ...]) -> Iterator[Wish]:
    """The first rule that holds, and no other: what comes later in the table is part of what comes earlier."""
    for value, rule in rules:
        match = rule.search(text.low)
        if match is not None and _meant(text, match) is not None:
            yield IMPLIED, value, *match.span()
            return


_ADVERTS = (
    r"(?:(?:your|any|these|those|more|further|the|all|of|marketing|promotional|special|new|sales|such|me|us|to|with|about|from|get|getting"
    r"|receive|receiving|sending|send|e-?mails?|messages|texts|letters) ){0,6}"
    r"(?:offers|marketing|adverts|advertising|advertisements?|ads|promos|promotions|promotional (?:e-?mails|messages|texts|letters|stuff)"
    r"|newsletters?|spam)\b"
)
_LISTS = r"(?:your |the |any |all )?(?:mailing|marketing) lists?\b"
_OFFER_RULES = (
    rf"\bno (?:more|further) {_ADVERTS}",
    rf"\bno {_ADVERTS},? (?:please|pls|thanks|thank you)\b",
    rf"\b(?:stop|quit) {_ADVERTS}",
    rf"\b(?:don't|dont|do not|never) (?:want|wish|send) {_ADVERTS}",
    rf"\b(?:unsubscribe|opt out|opting out|remove|take)(?: me)?(?: off)?(?: from| of)? {_ADVERTS}",
    rf"\b(?:unsubscribe|remove|take)(?: me)?(?: off)?(?: from| of)? {_LISTS}",
    r"^\W*(?:please )?unsubscribe(?: me)?(?: please)?\W*$",
)
_OFFER_CUES = ("offers", "marketing", "advert", " ads", "promo", "newsletter", "unsubscribe", "mailing list", "spam")
_TOLD_OF = re.compile(r"\b(?:(?<!can )(?<!could )(?<!would )(?<!will )you|they|there(?:'s| is| are)?|got|had|see|already) (?:have )?$")
_HOW = re.compile(r"\b(?:how|where) (?:do|can|could|would|should|to)\b")


def _offers(text: Text) -> Iterator[Wish]:
    for rule in _offer_rules:
        for match in islice(rule.finditer(text.low), MOST):
            clause = text.clause(*match.span())
            if clause.others or _DENIAL.search(clause.before) or _TOLD_OF.search(clause.before):
                continue
            if not clause.inquires:
                yield WISHED, False, *match.span()
            elif _HOW.search(clause.before):
                yield HINTED, False, *match.span()


_language_rules = tuple((confidence, re.compile(rule)) for confidence, rule in _LANGUAGE_RULES)
_hour_rules = tuple((wanted, re.compile(rule)) for wanted, rule in _HOUR_RULES)
_channel_rules = tuple((confidence, re.compile(rule)) for confidence, rule in _CHANNEL_RULES)
_tone_rules = tuple((value, re.compile(rule)) for value, rule in _TONE_RULES)
_often_rules = tuple((value, re.compile(rule)) for value, rule in _OFTEN_RULES)
_offer_rules = tuple(re.compile(rule) for rule in _OFFER_RULES)

_TALKING = ("write", "reply", "answer", "respon", "talk", "speak", "chat", "text", "messag", "communic", "prefer", "language")
_CONTACTING = ("call", "ring", "phone", "contact", "messag", "text", "write to", "disturb", "bother")
_ANY = ("",)
_CHANNEL_CUES = (
    *("prefer", " use ", "instead", " only", "rather", "from now"),
    *(f" {whom} {by}" for whom in ("me", "us") for by in ("by", "via", "through", "over", "on")),
)
_HOUR_CUES = ("after ", "before ", "me between ", "me from ", "only between", "best between", "only from", "best from")
_OFTEN_CUES = (" week", "month", "any time", "anytime", "as often", "contacting me", "messaging me", "contact me")
_READERS: tuple[tuple[str, tuple[str, ...], tuple[str, ...], Callable[[Text], Iterator[Wish]]], ...] = (
    (LANGUAGE, (*(name[:4] for name in _names), *_own_names), (*_TALKING, " pl", "in ", "switch", "change", *_own_names), _language_wish),
    (HOURS, _HOUR_CUES, _CONTACTING, _hours_wish),
    (CHANNEL, _CHANNEL_CUES, tuple(_CHANNELS), _channel_wish),
    (TONE, ("formal", "first name", "surname", "last name", "familiar", "casual"), _ANY, _tone_wish),
    (FREQUENCY, _OFTEN_CUES, _CONTACTING, _often_wish),
)
"""Of each preference, parts of words: one of the first ones and one of the second stand in every text that its rules can match."""
