"""What goes wrong in the simulator: Telegram's refusals to bots, and refusals to people.

SimulatorError
├── ApiError      a Bot API method failed; carries Telegram's code and words
└── Refused       a person tried what Telegram's apps would not let them do
"""

from typing import Any


class SimulatorError(Exception):
    """Anything the simulator refuses."""


class ApiError(SimulatorError):
    """A failed Bot API method, as the bot will see it.

    ``description`` is complete, prefix included. ``parameters`` is Telegram's ``ResponseParameters``.
    """

    def __init__(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """The answer's JSON object."""
        answer: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return answer


class Refused(SimulatorError):
    """What a person wanted is impossible: no such chat, button, message or right."""


def bad_request(words: str, **parameters: Any) -> ApiError:
    """A 400 in Telegram's words; ``words`` come without the prefix."""
    return ApiError(400, f"Bad Request: {words}", parameters or None)


def forbidden(words: str) -> ApiError:
    """A 403 in Telegram's words."""
    return ApiError(403, f"Forbidden: {words}")


def conflict(words: str) -> ApiError:
    """A 409 in Telegram's words."""
    return ApiError(409, f"Conflict: {words}")


def not_covered(words: str) -> ApiError:
    """A 501, which Telegram never sends: the simulator says that it lacks something instead of pretending."""
    return ApiError(501, f"Not Implemented: the simulator does not cover {words}")
