"""Actions that do what a test is about. No test module imports them: whoever runs actions does, as with real ones."""
