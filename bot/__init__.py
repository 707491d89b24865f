"""Channels, turns, flows, desks and screens: everything that talks."""
