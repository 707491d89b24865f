"""The customers' Telegram bot, on aiogram."""
