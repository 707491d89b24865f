"""Systems of record to try things with: a bank, an insurer and a telecoms company of made-up people, in one SQLite file."""
