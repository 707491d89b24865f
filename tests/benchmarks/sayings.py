"""What customers write and assistants answer in benchmarks: made up, varied, and the same in every run. Needs nothing but Python."""

from __future__ import annotations

OPENINGS = (
    "Hello,", "Hi there,", "Good morning,", "Sorry to ask again, but", "Me again:", "Quick question:", "As I wrote last week,",
    "Please help,", "I do not understand this:", "Just so you know,", "My partner says that", "According to your letter,",
    "To be honest,", "Once more:", "Good evening,", "I was told on the phone that",
)  # fmt: skip
MATTERS = (
    "the card payment of {money} at {place} was taken twice", "my transfer of {money} to {name} has not arrived since {day}",
    "the invoice {code} shows {money} although the tariff was cheaper",
    "the router at {place} loses its connection every evening", "my claim {code} about the broken windscreen is still open",
    "I want to change my address to {street} from {day} on", "the PIN for the card ending in {digits} is refused at {place}",
    "please stop the standing order of {money} to {name}", "roaming in {place} cost {money} in a single afternoon",
    "the technician did not come on {day} between nine and twelve", "the policy {code} must be renewed before {day}",
    "{name} should be allowed to use the account as well", "the delivery {code} is said to be at {place} but it is not",
    "I was charged {money} for a service that I cancelled on {day}", "the new phone has no signal in {place}",
    "the excess of {money} was never mentioned when I signed", "I need a statement of {day} for the tax office",
    "the password letter was sent to {street}, where I no longer live", "the instalment of {money} should be moved to {day}",
    "the number ending in {digits} has to be taken along to the new contract",
)  # fmt: skip
CLOSINGS = (
    "What can I do now?", "Can you look into it?", "Please call me back.", "When will that be put right?", "Thanks a lot.",
    "It is urgent.", "I am waiting for an answer.", "", "Is that correct?", "Kind regards", "I have the receipt here.",
    "Do I have to pay?", "Who decides that?",
)  # fmt: skip
ANSWERS = (
    "Thank you, I have found it.", "I am sorry about that.", "I have passed that on.", "Let me check.", "That is right.",
    "One moment, please.", "I understand.", "That should not happen.",
)  # fmt: skip
OUTCOMES = (
    "The {money} will be back on your account by {day}.", "Somebody from the team in {place} will write to you by {day}.",
    "The reference is {code}; please keep it.", "I have noted {street} as your new address.",
    "The case {code} is with {name} now.", "The card ending in {digits} was unblocked a moment ago.",
    "The technician now comes on {day}, in the morning.", "There is nothing more that you have to do about {code}.",
    "Until {day} you need not pay the {money}.", "For that we need a copy of the letter; may I send you a link?",
    "Your contract with the number {digits} runs until {day}.",
)  # fmt: skip
PLACES = (
    "Lindau", "Porto", "the main station", "Graz", "Oakfield", "the airport", "Kilburn Road", "Brno", "the shop in Mill Lane",
    "Aarhus", "Santander", "the harbour", "Leeds", "Ostrava", "the supermarket", "Verona",
)  # fmt: skip
NAMES = (
    "Mrs Novak", "my sister Irene", "Mr Okafor", "Tomas Lind", "Priya Raman", "Jean Marchand", "Ms Takeda", "the landlord",
    "Ewa Zielinska", "Carlos Duarte", "Dr Hofer", "my son",
)  # fmt: skip
STREETS = ("Birch Street", "Canal Row", "Station Road", "Vine Terrace", "Hill Lane", "Church Walk", "Park Avenue", "Weaver's Yard")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


class Dice:
    """Choices that follow from a number alone, so that message ``n`` is the same in every run and in every process."""

    def __init__(self, n: int) -> None:
        # A multiplication by a large odd number and a shift spread neighbouring numbers over all bits (Steele and others, SplitMix).
        n = (n * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF
        n = ((n ^ (n >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        self._left = (n ^ (n >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFFFFFFFFFF

    def upto(self, most: int) -> int:
        """A number below ``most``."""
        self._left, chosen = divmod(self._left, most)
        return chosen

    def of(self, choices: tuple[str, ...]) -> str:
        """One of them."""
        return choices[self.upto(len(choices))]


def saying(n: int, *, answer: bool = False) -> str:
    """Message ``n``: mostly 60 to 120 characters, with names, places, sums and dates so that few are alike."""
    dice = Dice(2 * n + answer)
    first, middle, last = (ANSWERS, OUTCOMES, ("",)) if answer else (OPENINGS, MATTERS, CLOSINGS)
    beginning, template, closing = dice.of(first), dice.of(middle), dice.of(last)
    digits = dice.upto(9000)
    words = template.format(
        money=f"{digits // 20}.{digits % 20 * 5:02} euros",
        place=PLACES[digits % 16],
        name=NAMES[digits % 12],
        code=f"{MONTHS[digits % 12][0]}{n % 9973}-{digits}",
        day=f"{1 + digits % 28} {MONTHS[n % 12]}",
        street=f"{1 + digits % 97} {STREETS[digits % 8]}",
        digits=1000 + digits,
    )
    return f"{beginning} {words}. {closing}" if not answer and closing else f"{beginning} {words}"
