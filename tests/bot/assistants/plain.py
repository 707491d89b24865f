"""An assistant that only answers, to be broken: a built-in one's articles and facts, with replies that no test of another thing changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import bot.assistants

HERE = Path(bot.assistants.__file__).parent

REPLIES = Path(__file__).with_name("plain_replies.yml")


def plain_copy(folder: Path) -> Path:
    """A copy of banking in ``folder``, without its flows and what belongs to them."""
    flows = shutil.ignore_patterns("flows", "domain*", "nlu*", "dialogues")
    copy: Path = shutil.copytree(HERE / "banking", folder, ignore=flows)
    shutil.copy(REPLIES, copy / "replies.yml")
    return copy
