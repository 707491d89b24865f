"""Channels: ways to exchange messages with customers."""
