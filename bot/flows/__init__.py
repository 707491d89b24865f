"""Flows: scripted tasks in Rasa's YAML terms, read, checked, drawn, and run."""
