"""The ways an embedding can fail; the text of each is a sentence for a person."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heimdex.embedders.vectors import Vectors


class EmbedderError(Exception):
    """These inputs cannot be embedded, however often they are tried; others can."""


class InputsRefused(EmbedderError):
    """Some inputs cannot be embedded; what the others gave is kept, because it may have been paid for.

    `refused` says why by position; `vectors` has a row for every input, of zeros where it was refused.
    """

    def __init__(self, vectors: "Vectors", refused: Mapping[int, str]) -> None:
        super().__init__(next(iter(refused.values())))
        self.vectors = vectors
        self.refused = refused


class EmbedderUnavailable(Exception):
    """The model cannot be used at all for now: no weights, no package, no key, no server. The text names the setting and the fix."""
