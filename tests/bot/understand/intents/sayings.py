"""A small assistant's intents of our own making: eight examples to learn from and five to judge, and talk about other things."""

EXAMPLES: dict[str, list[str]] = {
    "block_card": [
        "block my card", "my card was stolen, please stop it", "I lost my debit card", "freeze my credit card right now",
        "someone took my wallet with the cards in it", "can you cancel a card that I can't find?", "my bank card is missing",
        "stop all payments on the card I lost",
    ],
    "check_balance": [
        "what is my balance?", "how much money do I have?", "show me what is left in my account", "balance please",
        "am I overdrawn?", "how much is in my savings account?", "tell me my current account balance", "what's in my account at the moment",
    ],
    "transfer_money": [
        "send 50 pounds to my brother", "I want to make a transfer", "move money to my savings", "pay my landlord the rent",
        "transfer 200 to Anna", "can I send money abroad?", "I need to wire money to another bank", "make a payment to a friend",
    ],
    "change_address": [
        "I moved house", "change my address", "update where my letters go", "my postal address is different now",
        "we live somewhere else since May", "please correct the street in my profile", "I have a new home address",
        "where can I tell you about my move?",
    ],
    "open_hours": [
        "when are you open?", "opening hours of the branch", "is the branch open on Saturday?", "what time do you close?",
        "until when can I come to the office?", "are you open on public holidays?", "when does the counter open in the morning?",
        "do you work on Sundays?",
    ],
    "loan_request": [
        "I want to borrow money", "can I get a loan for a car?", "what are your interest rates for a credit?", "apply for a mortgage",
        "how do I take out a personal loan?", "I need credit to buy a house", "am I eligible for a loan?", "lend me 5000 euros",
    ],
}  # fmt: skip

HELD_OUT: dict[str, list[str]] = {
    "block_card": [
        "somebody nicked my plastic", "I left my visa in a taxi, make it unusable", "my crad is gone", "thieves have my mastercard",
        "deactivate it, I was robbed",
    ],
    "check_balance": [
        "how rich am I today?", "what funds are available to me?", "did I run out of cash?", "ballance", "total on my savings",
    ],
    "transfer_money": [
        "put 30 on my sister's account", "I owe a colleague 20 euros, give it to him", "remit the amount to my daughter",
        "tranfer 40 to Tom", "how can cash get to a foreign bank?",
    ],
    "change_address": [
        "we've relocated to another city", "my letters still arrive at my old flat", "note our new residence", "adress change",
        "I don't live in Park Lane any more",
    ],
    "open_hours": [
        "can I drop by on Monday morning?", "are you there at weekends?", "how late is somebody at the desk?", "oppening times",
        "is Christmas a working day for you?",
    ],
    "loan_request": [
        "could you finance my new kitchen?", "I am short of cash and repay it later", "home financing", "what does borowing cost?",
        "how much would you lend to a student?",
    ],
}  # fmt: skip
"""Said in other words, some of them misspelt."""

ELSEWHERE = [
    "what's the weather like in Paris", "who won the football match yesterday", "recommend a good pizza recipe", "my dog is sick again",
    "how tall is the Eiffel tower", "play some jazz music", "translate hello into Japanese", "tell me a joke about cats",
    "which planet is the largest", "the train to Berlin was late",
]  # fmt: skip
