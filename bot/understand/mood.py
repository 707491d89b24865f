"""The mood of a customer's words, from -1 to 1: what they say of us, not what their matter is about. English."""

from __future__ import annotations

import re
from typing import Any

MAX_TEXT = 400
"""Characters that are looked at: a longer text says its mood more than once, and the time for "but" grows with the square."""

MATTERS = """
accident alarm avoid benefit benefits block blocked broke broken burned burnt cancel canceled cancellation cancelled cancelling care
charge charged charges claim claims collision complain complaint complaints crash credit credits crime critical cut damage damaged damages
danger dead death debt debts decline declined delay delayed demand denied deny die died dies difficulty dispute disputed disputes
disputing emergency error errors expire fail failed failing fails failure fault faults faulty fee fees fight fine fines fire flood forced
forget forgot forgotten fraud fraudulent free gain gains hacked harm hello help helped helping helps hurt ill illness injured injury
interest interested issue issues killed lack like lose loss losses lost low miss missed missing mistake mistakes no ok okay owe owed pay
paying penalty please poor problem problems reject rejected rejecting rejects risk robbed robbery save saved saving savings scam scammed
scams secure secured security share shares sick steal stolen stop stopped stops stuck sure suspend suspended suspicious terminate thank
thanks theft thief trouble true trust unable unauthorised unauthorized unknown urgent urgently victim violence want wanted warning weak
withdraw withdrawal worried worry wrong yes
"""
"""Words that VADER's lexicon rates, but that belong to matters and to manners: a customer whose card was stolen is not angry with us."""

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[^\w\s]{2,}")


class Mood:
    """Judges moods by VADER (Hutto and Gilbert 2014), without the words of ``MATTERS``.

    Its lexicon is read at the first text that is judged, which takes some tens of milliseconds.
    """

    def __init__(self) -> None:
        self._analyzer: Any = None

    def of(self, text: str) -> float:
        """The mood of ``text``; 0 where nothing in it says any."""
        if self._analyzer is None:
            self._analyzer = self._made()
        text = text[:MAX_TEXT]
        lexicon = self._analyzer.lexicon
        # Most messages have no word of the lexicon in them, and looking costs a tenth of judging.
        if text.isascii() and not any(word in lexicon for word in _WORD.findall(text.lower())):
            return 0.0
        return float(self._analyzer.polarity_scores(text)["compound"])

    def _made(self) -> Any:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        analyzer = SentimentIntensityAnalyzer()
        for word in MATTERS.split():
            analyzer.lexicon.pop(word, None)
        return analyzer
