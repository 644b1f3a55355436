"""A face model that costs nothing to load: each image is one face, and its mean color identifies the person."""

import io
import json
import urllib.request
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from heimdex.embedders.base import EmbedderIdentity
from heimdex.faces.base import DetectedFace, FaceModel
from heimdex.faces.calibration import Calibration
from heimdex.faces.quality import Landmarks
from tests.acceptance.crashes.models import BATCH, DIMENSIONS

PHOTO, KEYFRAME = (120, 160), (320, 180)
# A color encodes three numbers from 0 to MAX_LEVEL, each in the middle of a step, so that JPEG's losses change none of them.
MAX_LEVEL = 11
_LOWEST, _STEP = 24, 16


def make_portrait(owner: int, person: int, variant: int, size: tuple[int, int] = PHOTO) -> bytes:
    """Return a JPEG of one of an owner's people; `variant` distinguishes images of the same person."""
    color = np.array([owner, person, variant]) * _STEP + _LOWEST + _STEP // 2
    # Without squares a face would count as blurred.
    squares = np.kron(np.indices((size[1] // 20, size[0] // 20)).sum(axis=0) % 2, np.ones((20, 20))) * 40 - 20
    pixels = (color + squares[:, :, None]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def build_question_prefix(owner: int, kind: str = "photo") -> str:
    """Return the prefix of every request about an owner's photos (or scenes)."""
    return f"{kind} of {owner}/"


class CountedFaces(FaceModel):
    """Finds one face in each image. It sends a request to an embedding server, which counts it and may hold back the answer."""

    def __init__(self, url: str, model: str) -> None:
        super().__init__(calibration=Calibration(threshold=0.9, middle=0.8, slope=20.0), preferred_batch_size=BATCH)
        self._url = url
        self._model = model

    @property
    def identity(self) -> EmbedderIdentity:
        """Identify the formula."""
        return EmbedderIdentity("tests", self._model, "", DIMENSIONS)

    def check(self) -> list[str]:
        return []

    def _find(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
        height, width = pixels.shape[:2]
        owner, person, variant = ((pixels.mean(axis=(0, 1)) - _LOWEST) // _STEP).astype(int).tolist()
        self._ask(f"{build_question_prefix(owner, 'photo' if height > width else 'scene')}{person}/{variant}")
        vector = np.random.default_rng([*self._model.encode(), owner, person]).normal(size=DIMENSIONS)
        eyes_and_nose = Landmarks((0.3 * width, 0.4 * height), (0.7 * width, 0.4 * height), (0.5 * width, 0.6 * height))
        return [DetectedFace((0.1 * width, 0.1 * height, 0.9 * width, 0.9 * height), eyes_and_nose, 1.0, vector)]

    def _ask(self, text: str) -> None:
        body: dict[str, Any] = {"model": self._model, "input": [text], "input_type": "document"}
        with urllib.request.urlopen(f"{self._url}/embeddings", json.dumps(body).encode()) as answer:
            answer.read()
