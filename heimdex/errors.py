"""Errors that several packages raise and handle. The message of each is a sentence for a person."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heimdex.embedders.vectors import Vectors


class ModelUnavailable(Exception):
    """A model of any kind cannot be used for now: no weights, package, key or server. The message names the setting and the fix."""


class ModelAway(ModelUnavailable):
    """The server of a model does not answer, or only with errors. The same call may succeed later."""


class SearchServerUnavailable(Exception):
    """The server that words are searched with cannot be used for now. The message names the setting and the fix."""


class ModelInputError(Exception):
    """The model rejects these inputs on every attempt; other inputs work."""


class InputBreaksServer(ModelInputError):
    """The server of a model fails on this input, again and again, and works on others."""


class InputsRejected(ModelInputError):
    """The model rejects some inputs of a batch. The vectors of the others are kept, because they may have been paid for.

    `reasons` maps the position of each rejected input to the reason. `vectors` has one row per input; rejected inputs have zeros.
    """

    def __init__(self, vectors: "Vectors", reasons: Mapping[int, str]) -> None:
        super().__init__(next(iter(reasons.values())))
        self.vectors = vectors
        self.reasons = reasons


class Refused(Exception):
    """An action cannot be done. `field` names the invalid input, if there is one."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class Forbidden(Refused):
    """Nobody, or only others, may do this."""


class OutOfSpace(Refused):
    """The disk is full, or nearly."""


class Unavailable(Refused):
    """Another server that the action needs does not answer."""


class WrongState(Refused):
    """An action is not possible in the current state of its video, photo, run or account."""
