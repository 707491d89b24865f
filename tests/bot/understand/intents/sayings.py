"""A small assistant's intents of our own making: eight examples to learn from and four to judge, and talk about other things."""

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
    "block_card": ["somebody stole my credit card", "I can't find my bank card", "please freeze the card", "cancel my lost card"],
    "check_balance": ["how much have I got left?", "my account balance", "what do I have in savings?", "show my balance please"],
    "transfer_money": ["pay 30 to my sister", "send cash to a friend", "wire 500 to another account", "I'd like to transfer money"],
    "change_address": ["I've got a new address", "update my address please", "we moved to another street", "my home address changed"],
    "open_hours": ["what are your opening times?", "do you close at five?", "is your office open on Monday?", "when do you open tomorrow?"],
    "loan_request": ["I'd like a mortgage", "how can I borrow 10000?", "what does a car loan cost?", "apply for credit"],
}

ELSEWHERE = [
    "what's the weather like in Paris", "who won the football match yesterday", "recommend a good pizza recipe", "my dog is sick again",
    "how tall is the Eiffel tower", "play some jazz music", "translate hello into Japanese", "tell me a joke about cats",
    "which planet is the largest", "the train to Berlin was late",
]  # fmt: skip
