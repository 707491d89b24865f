"""``legato actions``."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.common import EnvFile, err
from memory.errors import SettingsError

if TYPE_CHECKING:
    from bot.settings import Settings

HOST, PORT = "127.0.0.1", 5055
"""Where action servers are looked for; this machine alone, as whoever reaches one can ask for any customer."""

LOCAL = ("127.0.0.1", "::1", "localhost")

ENDS_WITHIN_S = 30


def actions(
    host: Annotated[str, typer.Option(help="the address to listen on; any but this machine's own needs LEGATO_ACTIONS_TOKEN")] = HOST,
    port: Annotated[int, typer.Option(help="of the server; 0 takes a free one")] = PORT,
    env_file: EnvFile = Path(".env"),
) -> None:
    """Serve the actions over HTTP: to a bot whose LEGATO_ACTIONS_URL names this server, or to a Rasa server."""
    from bot.settings import Settings
    from bot.telemetry import set_up_logging

    settings = Settings.load(env_file=env_file)
    if settings.actions_token is None and host not in LOCAL:
        raise SettingsError(
            f"LEGATO_ACTIONS_TOKEN is not set: who reaches {host} could ask for what is known of any customer; set it, or leave --host out"
        )
    set_up_logging(settings)
    asyncio.run(_serve(settings, host, port))


async def _serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; what is running then may end. Tells at once what cannot be used."""
    import uvicorn

    from actions.declared import KEY, as_json
    from actions.records.connect import open_records
    from actions.shared import lend
    from bot.assistants import load_assistant
    from bot.flows.executor import find_actions
    from bot.web.actions import actions_app
    from memory.clock import SystemClock
    from memory.database import Database
    from memory.schema import check_schema

    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        await check_schema(database)
        declared = load_assistant(settings.assistant).declared
        executor = find_actions()
        records = None
        if settings.records is not None:
            token = settings.records_token.get_secret_value() if settings.records_token is not None else None
            records = open_records(settings.records, token, clock=clock)
            stack.push_async_callback(records.close)
        app: Any = actions_app(
            executor,
            token=settings.actions_token.get_secret_value() if settings.actions_token is not None else None,
            limit_s=settings.action_timeout_s,
            lend=partial(lend, database, clock, records, proof_fresh_s=settings.proof_fresh_s),
            more={KEY: as_json(declared)},
        )
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False, timeout_graceful_shutdown=ENDS_WITHIN_S
        )
        server = uvicorn.Server(config)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows has no handlers of loops
                loop.add_signal_handler(number, setattr, server, "should_exit", True)
        listening = _listen(host, port)
        at = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/webhook"
        err.print(f"{len(executor.actions)} actions are served at {at}. Ctrl-C stops it.", soft_wrap=True)
        await server._serve([listening])  # ``serve`` would take the signals, and end before what is open is closed


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingsError(
            f"{host}:{port} cannot be listened on ({error.strerror}): give another --port, or stop what listens there"
        ) from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does so only where the protocol is named: 40 ms an answer
    return listening
