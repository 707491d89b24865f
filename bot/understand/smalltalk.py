"""Greetings, thanks, goodbyes, yes and no, told from messages that say more. English; the phrases below are all there is to edit."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.understand.words import Spelling, words_of


class Kind(StrEnum):
    """What a phrase of small talk does. A mild yes ("ok") counts as one only where nothing else is said; a filler says nothing."""

    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    AFFIRM = "affirm"
    MILD_AFFIRM = "mild_affirm"
    DENY = "deny"
    HELP = "help"
    FILLER = "filler"


PHRASES = {
    Kind.GREETING: """
        hi, hii, hai, hay, hey, heya, hiya, hello, helo, helloo, hallo, hullo, yo, howdy, greetings, hi there, hey there, hello there,
        morning, good morning, good afternoon, good evening, good day to you, goodmorning, goodafternoon, goodevening, gud morning, gud
        mrng, gud mrg, gud evng, gud evening, gm, higood morning, haigood morning, higud mrng, very good morning, a very good morning,
        very good evening, happy morning, how are you, how are you doing, how are you today, how r u, how are u, how do you do, whats up,
        sup, are you there, are u there, r u there, u there, you there, are you still there, is anyone there, is anybody there, anyone
        there, anybody there, dear team, nice to meet you, im back, i am back, welcome
    """,
    Kind.THANKS: """
        thanks, thank, thankyou, thank you, thank u, thanks you, thx, thnx, thnks, thanx, tnx, ty, tq, tks, ta, cheers, thanking you, many
        thanks, much appreciated, appreciated, i appreciate it, appreciate it, appreciate your help, i appreciate your help, thats very
        kind, that is very kind, youre a star, you are a star, okthanks, okthank you, okaythank you, thats helpful, that is helpful, very
        helpful, that helps, that helped, that was helpful, great help, lifesaver, you are awesome, great job, good job, well done,
        grateful, im grateful
    """,
    Kind.GOODBYE: """
        bye, byee, bye bye, byebye, goodbye, good bye, bbye, okbye, cya, see you, see ya, see u, see you soon, see you later, take care,
        later, have a nice day, have a good day, have a great day, have a amazing day, have an amazing day, have a lovely day, have a good
        one, have a nice evening, have a good evening, have a good night, have a great evening, have a nice weekend, have a good weekend,
        have a great weekend, have a nice day ahead, have a great day ahead, good night, goodnight, good day, great day, you too, u too,
        you as well, same to you, same to u, ttyl, farewell, talk to you later, speak soon, till next time, until next time, im off, gotta
        go
    """,
    Kind.AFFIRM: """
        yes, yess, yeah, yea, yeh, yep, yup, yah, ya, yas, aye, y, yes please, yes it did, yes it does, yes it is, yes it was, yes i did,
        yes i do, yes i am, yes i have, it did, it does, i did, i do, of course, ofcourse, absolutely, definitely, certainly, correct,
        thats correct, that is correct, thats right, that is right, right, exactly, confirm, confirmed, i confirm, please confirm, confirm
        it, true, affirmative, indeed, it worked, it works, it worked out, worked, works, works now, it works now, all sorted, sorted, its
        sorted, all settled, settled, solved, its solved, resolved, its resolved, it is resolved, problem solved, all good, all good now,
        its fine now, all done, please do, go ahead, do it, sounds good, yesplease, yessir, thumbsup
    """,
    Kind.MILD_AFFIRM: """
        ok, okay, okey, okie, k, kk, okk, sure, ok sure, fine, great, good, nice, cool, perfect, prefect, excellent, wonderful, awesome,
        superb, alright, all right, very well, got it, i see, understood, i understand, makes sense, no problem, no worries, not a
        problem, thats fine, that is fine, thats ok, thats okay, thats great, thats good, its ok, its okay, its fine, ok then, oksure,
        done, brilliant, lovely, super, i will, will do, i will wait, im waiting, i am waiting, i wait, take your time, take your own time
    """,
    Kind.DENY: """
        no, noo, nope, nopee, nah, na, nay, n, not really, not yet, not now, not today, not at all, no need, never mind, nevermind,
        nothing, nothing else, nothing more, nothing now, none, neither, thats all, that is all, that was all, thatll be all, that will be
        all, that will be it, thats it, that is it, that is everything, thats everything, no thats all, no more, no it didnt, no it did
        not, no it doesnt, no i didnt, no i did not, no i dont, no it isnt, no it wasnt, it didnt, it did not, it doesnt, it does not, it
        didnt work, it did not work, didnt work, did not work, it doesnt work, doesnt work, still doesnt work, still does not work, still
        not, still no, not working, still not working, not solved, not resolved, not settled, unfortunately not, im afraid not, i am
        afraid not, i dont think so, dont think so, negative, i didnt, i did not, incorrect, wrong, thats wrong, that is wrong, nothanks,
        nothing my side, my side nothing, no queries, no questions, no further questions, im good, i am good, im fine, i am fine, neither
        of them, none of these, none of them, none of those, thumbsdown
    """,
    Kind.HELP: """
        help, help me, help please, i need help, need help, i need some help, i need your help, need your help, i want help, i need a help
        from you, can you help, can you help me, can u help me, could you help me, could you help, can you please help me, could you
        please help me, can you help me with that, please help me, i have a question, i have a query, i have a problem, i have an issue, i
        have a doubt, i got a question, what can you do, what do you do, what can i ask, what can i do here, how does this work, who are
        you, are you a bot, are you a robot, are you human, are you a human, are you real, are you a real person, menu, options, start,
        what can you help with, what can you help me with, how can you help me, how can you help, i need assistance, assist me, can i ask
        a question, can i ask you something, may i ask a question
    """,
    Kind.FILLER: """
        please, pls, plz, sir, madam, maam, mam, mate, friend, dear, team, bro, there, so much, very much, a lot, alot, a bunch, lots,
        again, once again, oh, ah, um, hm, hmm, hmmm, wow, well, so, and, now, then, for now, today, for today, just, right now, very,
        all, everyone, everybody, folks, guys, you, u, for your help, for the help, for all your help, for ur help, for help, for helping,
        for helping me, for your support, for the support, for your time, for your information, for the information, for the info, for
        your effort, for everything, for all, for asking, for your wonderful help, for your timely support, for your quick reply, for your
        quick response, for your assistance, for the assistance, for letting me know, for that, for this, with that, with this, indeed,
        actually, really, haha, lol, also, too, to you, for you, of you, any, else, from my side, my side over, from me, my query
    """,
}

EMOJI = {
    "👍": "thumbsup",
    "👌": "ok",
    "✅": "thumbsup",
    "👎": "thumbsdown",
    "👋": "hello",
    "🙏": "thanks",
    "❤": "thanks",
    "🙂": "ok",
    "😊": "thanks",
}

_KINDS = {
    tuple(phrase.split()): kind for kind, phrases in PHRASES.items() for phrase in phrases.replace("\n", " ").split(",") if phrase.split()
}
_LONGEST = max(len(phrase) for phrase in _KINDS)
_WORDS = frozenset(word for phrase in _KINDS for word in phrase)
_SPELLING = Spelling(word for word in _WORDS if len(word) > 4)
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_ADDRESSING = frozenset({Kind.GREETING, Kind.THANKS, Kind.GOODBYE, Kind.DENY, Kind.MILD_AFFIRM, Kind.AFFIRM})


@dataclass(frozen=True, slots=True)
class Talk:
    """The small talk around a message. ``rest`` is what is said beside it, and where there is something, ``kinds`` is empty."""

    kinds: frozenset[Kind]
    rest: str


def find_talk(text: str, is_known: Callable[[str], bool]) -> Talk:
    """Take the small talk off both ends of ``text``.

    ``is_known`` tells whether a word occurs in the knowledge: one that does not, right beside small talk, is taken to be a name ("hi Sam").
    """
    words = _normal(text, is_known)
    kinds: set[Kind] = set()
    start, end = 0, len(words)
    while start < end and (length := _phrase_at(words, start, end)):
        kinds.add(_KINDS[tuple(words[start : start + length])])
        start += length
    while end > start and (length := _phrase_before(words, start, end)):
        kinds.add(_KINDS[tuple(words[end - length : end])])
        end -= length
    rest = words[start:end]
    if len(rest) == 1 and kinds & _ADDRESSING and rest[0].isalpha() and not is_known(rest[0]):
        rest = []
    if rest:
        return Talk(frozenset(), " ".join(rest))
    kinds.discard(Kind.FILLER)
    if kinds != {Kind.MILD_AFFIRM}:
        kinds.discard(Kind.MILD_AFFIRM)
    return Talk(frozenset(kinds), "")


def _normal(text: str, is_known: Callable[[str], bool]) -> list[str]:
    if not text.isascii():
        for emoji, word in EMOJI.items():
            text = text.replace(emoji, f" {word} ")
    words = [_DRAWN_OUT.sub(r"\1", word) for word in words_of(text)]
    return [word if word in _WORDS or len(word) < 5 or is_known(word) else _SPELLING.nearest(word) or word for word in words]


def _phrase_at(words: Sequence[str], start: int, end: int) -> int:
    """How many words the longest phrase beginning at ``start`` has; 0 where there is none."""
    return next((n for n in range(min(_LONGEST, end - start), 0, -1) if tuple(words[start : start + n]) in _KINDS), 0)


def _phrase_before(words: Sequence[str], start: int, end: int) -> int:
    return next((n for n in range(min(_LONGEST, end - start), 0, -1) if tuple(words[end - n : end]) in _KINDS), 0)
