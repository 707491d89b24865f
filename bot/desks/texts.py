"""Everything that the desk says to agents, apart from the mirrored posts and notices in ``bot.turn.mirror``. Plain text."""

from __future__ import annotations

REASONS = {
    "asked": "Asked for a person",
    "unsure": "The assistant did not understand them",
    "failed": "The assistant could not answer because of a fault",
    "overdue": "The assistant took too long to answer",
}
"""Why the customer is here, by the handoff's reason."""

SOURCES = {"customer": "said by the customer", "channel": "from their profile", "agent": "noted by an agent"}
"""Where a fact comes from."""

WHAT_THEY_WANT = "What they want"
WHAT_WE_KNOW = "What we know"
TRIED = "Tried"
LAST_EXCHANGES = "Last exchanges"
NOTHING_SAID = "They have not said"

CLAIM_BUTTON = "Claim"
RETURN_BUTTON = "Return to assistant"
CLOSE_BUTTON = "Close"

WAITING = "⏳ Waiting since {since}. Claim it, or simply answer here."
HELD = (
    "🎧 {agent} holds this case since {since}. /return or /close ends it; a note after it is told to the customer when they come back. "
    "Lines that begin with // stay among agents."
)
ENDED = {"returned": "✅ Returned to the assistant by {agent}, {since}.", "closed": "✅ Closed by {agent}, {since}."}
ENDED_OTHERWISE = "✅ Ended {since}."
SOMEBODY = "an agent"

YOU_HOLD = "You hold this case now."
YOU_HOLD_ALREADY = "You hold this case already."
NOW_HOLDS = "{agent} holds this case now."
HOLDS = "{agent} holds this case."
IS_CLOSED = "This case is closed."
IS_RETURNED = "Returned to the assistant."
IS_CLOSED_NOW = "Closed."
UNKNOWN_BUTTON = "This button belongs to nothing that is kept any more."
SENT_AGAIN = "It is being sent again."
NOTED_ARRIVED = "Noted: it arrived."
ALREADY_SETTLED = "Already settled."

NOT_SENT_HELD = "Not sent: {agent} holds this case."
NOT_SENT_ENDED = "Not sent: this case is closed. The customer is with the assistant."
NOT_SENT_NEWER = "Not sent: this case is closed. The customer has a newer one, in another topic."
NOT_SENT_KIND = "Not sent: {kind} cannot be passed on. Please write it as text."
NOT_SENT_LARGE = "Not sent: the file is larger than {limit} MB, which a bot cannot fetch. Please send a smaller one or a link."
NOT_SENT_ANONYMOUS = "Not sent: you write anonymously here, so no one would hold the case. Turn off “Remain anonymous” for yourself."
NOT_SENT_COMMAND = "Not sent: there is no command {command}. There are /claim, /return and /close."
NOT_CHANGED = "Not changed: the customer still sees what you wrote before. Edit it into the words that they are to see."

KINDS = {"sticker": "a sticker", "location": "a location", "contact": "a contact"}
"""What cannot be passed on, in words; the rest is "this kind of message"."""

ANY_KIND = "this kind of message"

FILE_TOO_LARGE = "({file}: too large for a bot to fetch)"
FILE_GONE = "({file}: no longer available)"

CUSTOMER = "Customer {id}"
KNOWN_SINCE = "known since {since}"
FIRST_CONTACT = "first contact"
EARLIER = "Before: {earlier}"
EARLIER_LINES = "…"
