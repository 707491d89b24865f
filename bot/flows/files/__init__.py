"""Rasa's YAML, read into the model of flows: one module for each kind of file."""
