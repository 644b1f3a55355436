"""A real image model under another name, so that its vectors are of another space."""

import dataclasses

from heimdex.embedders.base import EmbedderIdentity
from heimdex.embedders.conse import ConseEmbedder


class RenamedConse(ConseEmbedder):
    """The packaged image model, as another revision."""

    @property
    def identity(self) -> EmbedderIdentity:
        """Name another revision."""
        return dataclasses.replace(super().identity, revision="another")
