"""Understanding: text to what it means."""
