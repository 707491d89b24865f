"""What flows call."""
