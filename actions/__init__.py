"""What flows call: rasa-sdk actions over the shared memory. Imports memory and nothing else of ours.

rasa-sdk imports every module in here and registers every ``Action`` that it finds.
"""
