"""A yes or a no in many words: "of course not", "no problem", "sounds good". Pure; English."""

from __future__ import annotations

import re

_WELL = r"^\W*(?:(?:well|um+|uh+|er+|oh|ah|hm+|so|actually|honestly|sorry|hi|hello)\W+){0,3}"
_YES_AFTER_ALL = re.compile(
    rf"{_WELL}(?:no (?:problem|worries|doubt|objections?)|not a problem|(?:i )?(?:don'?t|do not) mind|(?:i )?(?:don'?t|can'?t) see why not"
    r"|why not)\b"
)
_DENIED = (
    "of course|definitely|absolutely|certainly|probably|possibly|surely|maybe|perhaps|i (?:think|guess|hope|suppose|believe|am afraid)"
    "|i'?m afraid|afraid"
)
_NO = re.compile(
    rf"{_WELL}(?:(?:ok(?:ay)?|right|yeah)\W+)?(?:no|nope|nah|naw|not?(?= )|never|n|negative|false|incorrect|wrong|don'?t|do not"
    r"|i (?:don'?t|do not|didn'?t|did not|haven'?t|have not|can'?t|cannot|won'?t|would(?:n'?t| not)|am not)|i'?m not|i'?d rather not"
    r"|(?:it|that|this)(?: is not|'?s not| isn'?t| wasn'?t| was not| doesn'?t| does not| didn'?t| did not|'?s wrong| is wrong| has changed"
    rf"| changed)|(?:{_DENIED}) not|not really|not any ?more|none|neither|rather not|out of the question|under no circumstances"
    r"|leave it)\b"
)
_YES = re.compile(
    rf"{_WELL}(?:yes|yep|yeah|yea|yup|ya|yh|aye|sure|ok(?:ay)?|okey|correct|right(?! now)|exactly|precisely|definitely|absolutely|certainly"
    r"|of course|indeed|confirm(?:ed)?|true|affirmative|please do|please|go ahead|go for it|do it|do that|y"
    r"|i (?:do|did|am|have|can|will|would|confirm|agree)|i'?d (?:like|love) (?:that|to|it)|agreed"
    r"|i (?:think|guess|suppose|believe|hope) so"
    r"|that'?s (?:right|correct|it|fine|the one|ok(?:ay)?|good|great|perfect|me)"
    r"|that (?:is|would be) (?:right|correct|fine|great|good|the one|ok(?:ay)?|perfect|lovely)|that works|works for me"
    r"|sounds? (?:good|great|fine|right|ok(?:ay)?)|looks? (?:good|right|fine|ok(?:ay)?|correct)|it (?:is|does|was|did)"
    r"|still (?:is|the same|there)|by all means|you bet|for sure|fine|alright|all right|perfect|great|good|all (?:good|correct|right)"
    r"|same as before|unchanged|no change)\b"
)
_YES_LAST = re.compile(r"[,.!] ?(?:yes|yeah|yep)(?: please)?\W*$")


def find_yes_no(low: str) -> bool | None:
    """Whether ``low``, a text in lower case, says yes or no; None for neither. "Maybe" is neither."""
    if _YES_AFTER_ALL.match(low):
        return True
    if _NO.match(low):
        return False
    return True if _YES.match(low) or _YES_LAST.search(low) else None
