"""The shared memory: what is known about customers and what has happened with them. Imports nothing of ours.

Functions that take ``tx`` run inside the caller's transaction and never commit. They are plain functions, so that nothing in a
transaction can wait for a network, an action or a person: only :class:`memory.database.Database` opens and commits.
"""
