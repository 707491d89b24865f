"""What is known about customers and what has happened with them. Imports nothing of ours."""
