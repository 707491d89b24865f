"""Tests of the records: the contract, the sample, and the way over HTTP."""
