"""A customer's past, found by words, and by meaning where the extra ``legato[meaning]`` is installed.

Off a turn's path, under a lane of the customer; done twice it does no harm, and the state's row is the lock::

    rows = waiting(tx, customer_id, settled=now - SETTLE)            # index: exchanges that are not in the index yet
    index_exchanges(tx, customer_id, rows)                           # index: appends them

    encoder = MiniLm.load()                                          # meaning: once a process; raises SettingsError without the extra
    work = without_vectors(tx, customer_id, encoder.name)            # meaning: a read
    vectors = encoder.encode(work.texts)                             # no transaction is open
    index_meaning(tx, customer_id, encoder.name, work, vectors)      # meaning: a write

On a turn, or for an agent::

    question = ask("what did Bea say about my card in May?", names=("Bea", "Cora"), now=now)      # words: pure
    meaning = embed(encoder, question.plain)                         # meaning: only with the extra, no transaction open
    moments = find(tx, customer_ids, question, meaning=meaning, limit=10, until_id=...)           # find: a read

To forget a customer, ``drop_index(tx, customer_id)`` (index) deletes all of it; the rows of every table here begin with the customer.
"""
