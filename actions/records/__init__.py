"""The company's own systems as actions reach them: one small interface, over HTTP or, to try things, over a sample in SQLite."""
