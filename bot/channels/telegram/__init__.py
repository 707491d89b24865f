"""The customers' Telegram bot, on aiogram.

Importing this package imports aiogram with its models' validators built at first use. aiogram builds all of some three hundred at import,
each with everything that it refers to, which is most of the time that a start takes; a bot needs a dozen of them.
"""

from bot.channels.telegram import quick_import as quick_import
