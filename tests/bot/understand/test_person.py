"""Requests for a person, and sentences that only look like one."""

from __future__ import annotations

import pytest

from bot.understand.person import asks_person

ASKS = """
human
agent
agent please
Agent!
real person
a real person please
a person please
I want to speak to someone
can I speak with someone about my bill
speak to an agent
talk to a human
Could you please connect me with a representative?
representative
operator
get me an operator
I need to talk to an advisor
talk to a manager
customer service please
customer service
customer care
I'd like to speak to a member of staff
transfer me to a live agent
put me through to someone
put me through to a person
I want a human
i need an agent
I would rather talk to a person
is there a person I can talk to
is there an agent available
are there any humans here
can someone call me back
have someone call me
agnet
humen
speak to agnet please
i want to tlak to a humen
reprsentative please
operater
I don't want to talk to a bot
no bots please
I don't want a bot, I want a human
stop. agent.
this is useless, get me a human
hello, agent please
my card was stolen, i need to talk to someone now
lost my card human please
how do i contact customer service
how can I reach an agent
why can't I talk to a human
chat with a live agent
I want to escalate this to a supervisor
let me talk to your manager
pass me on to a colleague
give me a real human
someone to talk to please
I need someone to talk to
could an advisor phone me
can an agent help me
I prefer talking to a person
connect to agent
connect me to customer care
I do not understand, i need an agent
no i want a human
i'd like to have a word with your supervisor
do you have any real people
live chat
please let me speak to a human being
I need help from a real person
SPEAK TO A HUMAN NOW
can i talk to someone on the phone
want to speak with insurance agent
may i speak to a specialist
agent, my phone is broken
I dont know how to speak to an agent
human agent
talk to person
i want talk to agent
person please
not working connect me to an agent
I said agent
"""

DOES_NOT_ASK = """
I booked through a travel agent
I need a travel agent
my cleaning agent damaged the carpet
I am a real person
I am a human
agent fees
what are the agent fees
no agent please
I don't want to talk to a human
i do not need an agent
please don't connect me with an agent
insurance agent's address
I need my insurance agent's address
the agent told me it takes five days
your agent was rude
an agent called me yesterday
i spoke to an agent yesterday
I was talking to an agent and the line dropped
someone took my wallet
someone stole my card
send money to someone
pay somebody at a different bank
transfer money to another person
add my husband as a contact person
hand over my contract to someone else
somebody could make calls with my phone
estate agent fees
human resources
human error on my bill
the operator code of my number
I want to change my mobile operator
bring number from another operator
customer service phone number
what are the customer service opening hours
your customer service is terrible
am I talking to a human
are you a human or a bot
are you a real person
is this a bot
is anyone there
is anyone there on a sunday
can someone help me
how do I become an agent
I am the manager of a shop
my manager asked for a statement
password manager
is one sim per person
how many checks can a person order
5 gb is plenty for one person
I want an internet plan for personal use
personal loan
I have an agency account
who is the person on my policy
someone hit my bumper
a person is making a false claim in my name
no need to speak to anyone
I can do this without talking to a person
no human needed
I would rather not speak to a person
talk to my husband about it
the steak was good
speak english
how much does it cost to talk to someone abroad
remove a person from my plan
agent commission
who was the agent
contact details
I want to pay my bill
what is a claims manager
the agent did not send my proof of insurance
human rights charity donation
please give you agent information
instead of an agent I will use the app
can a person under 18 open an account
"""


@pytest.mark.parametrize("text", ASKS.strip().splitlines())
def test_a_request_for_a_person_is_heard(text: str) -> None:
    assert asks_person(text)


@pytest.mark.parametrize("text", DOES_NOT_ASK.strip().splitlines())
def test_another_sentence_is_not_taken_for_one(text: str) -> None:
    assert not asks_person(text)
