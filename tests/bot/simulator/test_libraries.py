"""Whole bots of both libraries, polling the simulator as they poll Telegram."""

import asyncio

import aiogram
import telegram
from telegram.ext import ApplicationBuilder, CallbackQueryHandler, ContextTypes, MessageHandler, filters

from bot.simulator import Bot, Person, Server

from .conftest import TOKEN


async def test_an_aiogram_bot(gram: aiogram.Bot, ann: Person, bank: Bot) -> None:
    dispatcher = aiogram.Dispatcher()

    @dispatcher.message()
    async def echo(message: aiogram.types.Message) -> None:
        await message.answer(f"aiogram heard {message.text}")

    polling = asyncio.create_task(dispatcher.start_polling(gram, handle_signals=False, close_bot_session=False))
    ann.send(bank, "Hi")

    assert (await ann.hear(bank)).text == "aiogram heard Hi"
    await dispatcher.stop_polling()
    await polling


async def test_a_python_telegram_bot_application(server: Server, ann: Person, bank: Bot) -> None:
    async def ask(update: telegram.Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        button = telegram.InlineKeyboardButton("Yes", callback_data="y")
        await update.message.reply_text("Sure?", reply_markup=telegram.InlineKeyboardMarkup([[button]]))

    async def agree(update: telegram.Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.callback_query is not None
        await update.callback_query.answer("Good")
        await update.callback_query.edit_message_text("Done")

    application = ApplicationBuilder().token(TOKEN).base_url(f"{server.url}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, ask))
    application.add_handler(CallbackQueryHandler(agree))
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling()
        mark = ann.sim.events.last
        ann.send(bank, "Hi")
        question = await ann.hear(bank)

        assert (await ann.press(bank, "Yes")).text == "Good"
        await ann.sim.wait_for(lambda event: event.kind == "edit", after=mark)
        assert ann.messages(bank)[-1].previous == [question.text] == ["Sure?"]
        await application.updater.stop()
        await application.stop()
