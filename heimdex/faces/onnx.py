"""Faces with two ONNX files that you supply, run by OpenCV: a detector as YuNet and an embedder as SFace or ArcFace.

Detector: input (1, 3, height, width), blue first, 0 to 255, sides that are multiples of 32; outputs `cls_N`, `obj_N`, `bbox_N` and
`kps_N` for N = 8, 16 and 32, as in YuNet's file of March 2023. Embedder: one input (1, 3, 112, 112), red first, a face that is aligned
by its five points; output (1, dimensions), of any length.
"""

import threading
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import EmbedderIdentity
from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.embedders.weights import digest
from heimdex.faces.base import FaceModel, Found, reduced
from heimdex.faces.calibration import Calibration
from heimdex.faces.quality import Landmarks

# Faces are looked for in a picture of this longest side, and embedded from the picture itself.
LONGEST_SIDE = 1280
OVERLAP = 0.3
MOST_FACES = 500
SIDE = 112
# Where an aligned face has its eyes, nose and corners of the mouth, the left ones of the picture first: the template that ArcFace
# (Deng et al. 2019) and SFace (Zhong et al. 2021) were trained with.
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])


@dataclass(frozen=True)
class LoadedNetworks:
    """The two networks in memory."""

    detector: Any
    embedder: Any


class OnnxFaces(FaceModel):
    """Find and embed faces with the files `detector` and `embedder`.

    `least_confidence` is what a face must have at least, 0 to 1. The embedder is given (pixel - mean) · scale of pixels from 0 to 255:
    SFace takes them as they are, ArcFace wants 127.5 and 1/127.5. `threshold` is the cosine from which two faces count as one person,
    `middle` that which leaves it open, and `slope` how fast the probability grows around it.
    """

    # Fitted by `bench/faces.py` (F1) to photos of 615 persons, with SFace in 8 bit: at 0.51 all 20 pairs of one person were recognised (the
    # least at 0.520), and none of 194,977 pairs of two persons was taken for one (the most at 0.504).

    def __init__(
        self,
        detector: str,
        embedder: str,
        dimensions: int = 128,
        mean: float = 0.0,
        scale: float = 1.0,
        least_confidence: float = 0.7,
        threshold: float = 0.51,
        middle: float = 0.476,
        slope: float = 15.0,
    ) -> None:
        super().__init__(calibration=Calibration(threshold, middle, slope), pictures_at_once=8)
        self._files = {"detector": detector, "embedder": embedder}
        self._dimensions = dimensions
        self._mean, self._scale = mean, scale
        self._least_confidence = least_confidence
        self._using = threading.Lock()

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """Name both files' contents, which are read once, and what decides which faces are found and how they are seen."""
        if missing := self._missing_files():
            raise EmbedderUnavailable(" ".join(missing))
        detector, embedder = (digest(Path(file).expanduser()) for file in self._files.values())
        seen = f"({self._mean}, {self._scale}), faces by sha256:{detector} from {self._least_confidence} at {LONGEST_SIDE} px"
        return EmbedderIdentity("onnx_faces", Path(self._files["embedder"]).stem, f"sha256:{embedder} {seen}", self._dimensions)

    def check(self) -> list[str]:
        problems = self._missing_files()
        if find_spec("cv2") is None:
            problems.append("Finding faces needs opencv-python-headless: install requirements/worker.txt, or set HEIMDEX_FACES=off.")
        return problems

    def _missing_files(self) -> list[str]:
        return [
            f'There is no file {file}: correct "{option}" of "faces" in HEIMDEX_MODELS, or set HEIMDEX_FACES=off.'
            for option, file in self._files.items()
            if not Path(file).expanduser().is_file()
        ]

    def _find(self, pixels: NDArray[np.uint8]) -> list[Found]:
        # The networks keep what they were given last.
        with self._using:
            rows, factor = _rows(self._loaded.detector, pixels)
            return [self._found(pixels, row, factor) for row in rows]

    def _found(self, pixels: NDArray[np.uint8], row: NDArray[np.float32], factor: float) -> Found:
        # The last is the confidence, all others are coordinates.
        left, top, width, height = (float(value) for value in row[:4] * factor)
        points = row[4:14].reshape(5, 2).astype(np.float64) * factor
        landmarks = Landmarks(*((float(x), float(y)) for x, y in points[:3]))
        return Found((left, top, left + width, top + height), landmarks, float(row[-1]), self._vector(aligned(pixels, points)))

    def _vector(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        network = self._loaded.embedder
        network.setInput((face.astype(np.float32).transpose(2, 0, 1)[None] - np.float32(self._mean)) * np.float32(self._scale))
        # The network writes its next answer into the same memory.
        vector: NDArray[np.float32] = network.forward().ravel().copy()
        return vector

    @cached_property
    def _loaded(self) -> LoadedNetworks:
        if problems := self.check():
            raise EmbedderUnavailable(" ".join(problems))
        import cv2

        detector, embedder = (str(Path(file).expanduser()) for file in self._files.values())
        told = cv2.utils.logging.getLogLevel()
        # It warns of an engine that is not used here.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            return LoadedNetworks(
                cv2.FaceDetectorYN.create(detector, "", (320, 320), self._least_confidence, OVERLAP, MOST_FACES),
                # The newer engine takes the weights of SFace's file for inputs that have to be given.
                cv2.dnn.readNetFromONNX(embedder, cv2.dnn.ENGINE_CLASSIC),
            )
        except cv2.error as error:
            raise EmbedderUnavailable(
                f"{detector} or {embedder} is no network that OpenCV reads ({str(error).splitlines()[0]}): "
                'correct "detector" and "embedder" of "faces" in HEIMDEX_MODELS.'
            ) from error
        finally:
            cv2.utils.logging.setLogLevel(told)


def _rows(detector: Any, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Return a row for each face (left, top, width, height, five points, confidence), and by what coordinates are to be multiplied."""
    smaller, factor = reduced(pixels, LONGEST_SIDE)
    detector.setInputSize((smaller.shape[1], smaller.shape[0]))
    _, rows = detector.detect(np.ascontiguousarray(smaller[:, :, ::-1]))
    return (np.zeros((0, 15), dtype=np.float32) if rows is None else rows), factor


def aligned(pixels: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a face as (112, 112, 3), turned, scaled and moved so that its five points (5, 2) lie as near the template's as they can."""
    import cv2

    # As complex numbers a turn with a scale is one factor, and its least-squares fit one division.
    here, there = (side[:, 0] + 1j * side[:, 1] for side in (points, TEMPLATE))
    centred = here - here.mean()
    turn = np.vdot(centred, there - there.mean()) / np.vdot(centred, centred).real
    # A face that is much larger than the chip is made smaller first, or it would be sampled with gaps.
    shrink = min(1.0, 2 * abs(turn))
    if shrink < 1:
        pixels = np.asarray(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        here, turn = here * shrink, turn / shrink
    shift = there.mean() - turn * here.mean()
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    return np.asarray(cv2.warpAffine(pixels, matrix, (SIDE, SIDE)), dtype=np.uint8)
