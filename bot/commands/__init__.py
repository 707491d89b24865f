"""What operators do with the store from the command line; ``bot.cli`` gathers the commands. Each imports what it needs when it runs."""
