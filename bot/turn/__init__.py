"""Turns: accept, worker, decide, reply, deliver, watchdog."""
