"""Everything that the desk says to agents, apart from the mirrored posts and notices in ``bot.turn.mirror``. Plain text."""

from __future__ import annotations

REASONS = {
    "asked": "Asked for a person",
    "unsure": "The assistant did not understand them",
    "careful": "The assistant was not certain, and did not want to ask back",
    "failed": "The assistant could not answer because of a fault",
    "overdue": "The assistant took too long to answer",
}
"""Why the customer is here, by the handoff's reason."""

SOURCES = {
    "customer": "said by the customer",
    "channel": "from their profile",
    "agent": "noted by an agent",
    "system": "from our systems",
}
"""Where a fact comes from."""

WHAT_THEY_WANT = "What they want"
CAREFUL = "⚠️ Careful: {count}: {reasons}"
BAD_MOMENT, BAD_MOMENTS = "a bad moment", "{count} bad moments"
PROMISED = "Promised"
PROMISE = "№ {id} “{text}” – {by}{due}"
DUE, OVERDUE = ", by {due}", ", ❗ not kept by {due}"
WHAT_WE_KNOW = "What we know"
OTHERWISE = "otherwise {value} ({source}, {since})"
STALE = "perhaps out of date"
LIKELY = "{name}: perhaps <b>{value}</b>, not confirmed"
CONSENTS = "Consents: {consents}"
YES, NO = "yes", "no"
WHERE_THEY_STAND = "Where they stand"
BEFORE = "Earlier conversations"
RELATED = "From the past, about this"
PROOFS = {"claimed": "⚠️ only says who they are", "confirmed": "confirmed", "verified": "✅ verified"}
"""How well it is known who they are, where that is not the usual."""

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
ENDED = {
    "returned": "✅ Returned to the assistant by {agent}, {since}.",
    "closed": "✅ Closed by {agent}, {since}.",
    "joined": "🔗 Joined to another case, {since}.",
}
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
NOT_SENT_COMMAND = (
    "Not sent: there is no command {command}. "
    "There are /claim, /return, /close, /promise, /kept, /stage, /fact, /find, /verify, /merge and /notsame."
)
FOUND = "From the past of this customer:"
NOT_FOUND = "Nothing in this customer's past speaks of that, beside the last exchanges that the card shows."
NOT_FOUND_WORDS = "Write /find and what you look for, such as /find the courier in May."
NOT_MERGED = "Not merged: {why}."
NOT_MERGED_NUMBER = "Not merged: write /merge and the number of the other customer, such as /merge 12."
NOT_REFUSED_NUMBER = "Not noted: write /notsame and the number of the other customer, such as /notsame 12."
NOT_PROPOSED = "Nothing is proposed about customer {customer} here."
IS_MERGED = "Merged with customer {customer}."
IS_NOT_SAME = "Noted: customer {customer} is somebody else."
IS_VERIFIED = "Verified: it is known who writes on {channel}."
MAYBE = "May be the same person"
MAYBE_ONE = "as customer {customer}: same {kinds}; /merge {customer} or /notsame {customer}"
NOT_PROMISED = (
    "Not promised: write /promise, until when, and what, such as /promise 2d We will call you back, or /promise 24 Nov 17:00: ..."
)
NOT_PROMISED_PAST = "Not promised: that time has passed."
NOT_PROMISED_LONG = "Not promised: that is more than a message holds."
NOT_KEPT = "Not noted: write /kept and the number of one of this customer's promises: {numbers}."
NOT_MOVED = "Not moved: write /stage, a product and a stage: {known}."
NOT_NOTED = "Not noted: write /fact, its name and the value, such as /fact phone +44 20 7946 0018. There are {known}."
NOT_NOTED_VALUE = "Not noted: {why}."
NOT_NOTED_CONSENT = "Not noted: this needs the customer's consent, which they have not given."
NONE_OPEN = "none is open"
IS_PROMISED = "Promised, № {id}, by {due}. Write /kept {id} once it is done."
IS_KEPT = {"kept": "№ {id} is kept.", "kept late": "№ {id} is kept, late."}
IS_MOVED = "{product}: {stage}."
IS_THERE = "{product} stands there already."
IS_NOTED = {
    "current": "Noted: {title}.",
    "contested": "Noted beside what we go by: {title}.",
    "ended": "Noted as what was before: {title}.",
}
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
