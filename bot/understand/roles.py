"""Who somebody is in a request, by the words around: "transfer £50 to Maria Costa". Only names in capital letters; English. Pure."""

from __future__ import annotations

import re

ROLES = {"payee": "to", "recipient": "to", "beneficiary": "to", "sender": "from", "payer": "from"}
"""Entities whose values stand behind a word of direction, by their names."""

_NAME = r"(?P<name>[A-Z][\w'’-]{1,30}(?:[ ](?:(?:de|da|van|von|der|den|la|le|di|al|bin|of|the|and|&)[ ]){0,2}"
_NAME += r"[A-Z][\w'’.-]{0,30}){0,3})(?![\w@])"
_GIVES = r"(?:transfer|send|pay|wire|give|move|payment|money|cash|pounds?|quid|euros?|dollars?|£|€|\$|\d)"
_TO = re.compile(rf"(?i:\b{_GIVES}\b|[£€$]\d).{{0,60}}?\b(?i:to|for)[ ]{_NAME}", re.DOTALL)
_DIRECT = re.compile(rf"(?i:\b(?:pay|send|give)) {_NAME}[ ,]+(?:[£€$] ?\d|\d|(?i:a |the |my |some ))")
_TOWARDS = re.compile(rf"\b(?i:to|for)[ ]{_NAME}")
_FROM = re.compile(rf"\b(?i:from)[ ]{_NAME}")
_NO_NAMES = """
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october
november december i my the a an this that you your it please thanks savings current account mum dad today tomorrow barclays lloyds
hsbc
"""
_NOBODY = frozenset(_NO_NAMES.split())


def in_role(text: str, role: str) -> str | None:
    """The name that stands in this role (a value of ``ROLES``); None where none does, or several do."""
    if text.isupper():
        return None
    rules = (_DIRECT, _TO) if role == "to" else (_FROM,)
    for rule in rules:
        if names := _names(rule, text):
            names |= _names(_TOWARDS, text) if rule is _TO else set()
            return names.pop() if len(names) == 1 else None
    return None


def _names(rule: re.Pattern[str], text: str) -> set[str]:
    found = {match["name"].rstrip(" .,'’") for match in rule.finditer(text)}
    return {name for name in found if name.split()[0].lower() not in _NOBODY}
