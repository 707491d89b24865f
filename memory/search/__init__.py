"""A customer's past, found by words, and by meaning where the extra ``legato[meaning]`` is installed.

Off a turn's path, under a lane of the customer (twice does no harm, the state's row is the lock)::

    rows = index.waiting(tx, customer_id, settled=now - index.SETTLE)     # exchanges that are not in the index yet
    index.index_exchanges(tx, customer_id, rows)                         # appends them

    texts = meaning.without_vectors(tx, customer_id, encoder.name)       # a read; then encode, with no transaction open
    meaning.index_meaning(tx, customer_id, encoder.name, texts, vectors) # a write

On a turn::

    question = words.ask("what did Bea say about my card in May?", names=("Bea", "Cora"), now=now)      # pure
    vector = encoder.encode([question.plain])[0]                          # only with the extra, outside any transaction
    moments = find.find(tx, [customer_id], question, vector=vector, limit=10)
"""
