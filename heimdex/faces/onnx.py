"""Faces with two ONNX files that you supply, run by OpenCV: a detector like YuNet and an embedder like SFace or ArcFace.

Detector: input (1, 3, height, width), BGR, 0 to 255, sides that are multiples of 32; outputs `cls_N`, `obj_N`, `bbox_N` and `kps_N` for
N = 8, 16 and 32, as in YuNet's file of March 2023. Embedder: one input (1, 3, 112, 112), RGB, a face aligned by its five points; output
(1, dimensions), of any length.
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
from heimdex.embedders.weights import hash_file
from heimdex.errors import ModelUnavailable
from heimdex.faces.base import DetectedFace, FaceModel, downscale
from heimdex.faces.calibration import Calibration
from heimdex.faces.quality import Landmarks

# Faces are detected in an image with this longer side (pixels), and embedded from the full image.
MAX_SIDE_PX = 1280
# Intersection over union above which the weaker of two boxes is dropped (non-maximum suppression).
MAX_BOX_OVERLAP = 0.3
MAX_FACES = 500
# Side of an aligned face, in pixels.
CHIP_PX = 112
# Positions of eyes, nose and mouth corners in an aligned face, those on the left of the image first. ArcFace (Deng et al. 2019) and SFace
# (Zhong et al. 2021) were trained with this template.
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])


@dataclass(frozen=True)
class LoadedNetworks:
    """The two networks in memory."""

    detector: Any
    embedder: Any


class OnnxFaces(FaceModel):
    """Finds and embeds faces with the files `detector` and `embedder`.

    `least_confidence` is the minimum confidence of a face, 0 to 1. The embedder receives (pixel - mean) · scale of pixels from 0 to 255:
    SFace takes them unchanged, ArcFace needs 127.5 and 1/127.5. `threshold` is the cosine from which two faces count as the same person,
    `middle` the cosine with probability 0.5, and `slope` the steepness of the probability there.
    """

    # Fitted by `bench/faces.py` (F1) to photos of 615 persons, with SFace in 8 bit. At 0.51 all 20 pairs of the same person matched (lowest
    # cosine 0.520), and none of 194,977 pairs of different persons did (highest 0.504).

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
        super().__init__(calibration=Calibration(threshold, middle, slope), preferred_batch_size=8)
        self._files = {"detector": detector, "embedder": embedder}
        self._dimensions = dimensions
        self._mean, self._scale = mean, scale
        self._least_confidence = least_confidence
        self._lock = threading.Lock()

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """The hashes of both files, which are read once, and the settings that affect detection and embedding."""
        if missing := self._find_missing_files():
            raise ModelUnavailable(" ".join(missing))
        detector, embedder = (hash_file(Path(file).expanduser()) for file in self._files.values())
        settings = f"({self._mean}, {self._scale}), faces by sha256:{detector} from {self._least_confidence} at {MAX_SIDE_PX} px"
        return EmbedderIdentity(
            "onnx_faces", Path(self._files["embedder"]).stem, f"sha256:{embedder} {settings}", self._dimensions, self.code_version
        )

    def check(self) -> list[str]:
        problems = self._find_missing_files()
        if find_spec("cv2") is None:
            problems.append("Finding faces needs opencv-python-headless: install requirements/worker.txt, or set HEIMDEX_FACES=off.")
        return problems

    def _find_missing_files(self) -> list[str]:
        return [
            f'There is no file {file}: correct "{option}" of "faces" in HEIMDEX_MODELS, or set HEIMDEX_FACES=off.'
            for option, file in self._files.items()
            if not Path(file).expanduser().is_file()
        ]

    def _find(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
        # The networks keep their last input, so only one thread at a time may use them.
        with self._lock:
            rows, factor = _detect(self._loaded.detector, pixels)
            return [self._build_face(pixels, row, factor) for row in rows]

    def _build_face(self, pixels: NDArray[np.uint8], row: NDArray[np.float32], factor: float) -> DetectedFace:
        # A row has coordinates and, last, the confidence.
        left, top, width, height = (float(value) for value in row[:4] * factor)
        points = row[4:14].reshape(5, 2).astype(np.float64) * factor
        landmarks = Landmarks(*((float(x), float(y)) for x, y in points[:3]))
        return DetectedFace(
            (left, top, left + width, top + height), landmarks, float(row[-1]), self._embed_face(align_face(pixels, points))
        )

    def _embed_face(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        network = self._loaded.embedder
        network.setInput((face.astype(np.float32).transpose(2, 0, 1)[None] - np.float32(self._mean)) * np.float32(self._scale))
        # Copied, because the network reuses the memory for its next output.
        vector: NDArray[np.float32] = network.forward().ravel().copy()
        return vector

    @cached_property
    def _loaded(self) -> LoadedNetworks:
        if problems := self.check():
            raise ModelUnavailable(" ".join(problems))
        import cv2

        detector, embedder = (str(Path(file).expanduser()) for file in self._files.values())
        log_level = cv2.utils.logging.getLogLevel()
        # OpenCV warns about an engine that is not used here.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            return LoadedNetworks(
                cv2.FaceDetectorYN.create(detector, "", (320, 320), self._least_confidence, MAX_BOX_OVERLAP, MAX_FACES),
                # The newer engine mistakes the weights in SFace's file for required inputs.
                cv2.dnn.readNetFromONNX(embedder, cv2.dnn.ENGINE_CLASSIC),
            )
        except cv2.error as error:
            raise ModelUnavailable(
                f"{detector} or {embedder} is not a network that OpenCV can read ({str(error).splitlines()[0]}): "
                'correct "detector" and "embedder" of "faces" in HEIMDEX_MODELS.'
            ) from error
        finally:
            cv2.utils.logging.setLogLevel(log_level)


def _detect(detector: Any, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Return one row per face (left, top, width, height, five points, confidence), and the factor to the original's coordinates."""
    smaller, factor = downscale(pixels, MAX_SIDE_PX)
    detector.setInputSize((smaller.shape[1], smaller.shape[0]))
    _, rows = detector.detect(np.ascontiguousarray(smaller[:, :, ::-1]))
    return (np.zeros((0, 15), dtype=np.float32) if rows is None else rows), factor


def align_face(pixels: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a face as (112, 112, 3), rotated, scaled and shifted so that its five points (5, 2) fit the template best."""
    import cv2

    # With complex numbers, rotation and scale are one factor, and their least-squares fit is one division.
    source, target = (side[:, 0] + 1j * side[:, 1] for side in (points, TEMPLATE))
    centered = source - source.mean()
    turn = np.vdot(centered, target - target.mean()) / np.vdot(centered, centered).real
    # A face much larger than the chip is downscaled first. Otherwise sampling would skip pixels.
    shrink = min(1.0, 2 * abs(turn))
    if shrink < 1:
        pixels = np.asarray(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        source, turn = source * shrink, turn / shrink
    shift = target.mean() - turn * source.mean()
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    return np.asarray(cv2.warpAffine(pixels, matrix, (CHIP_PX, CHIP_PX)), dtype=np.uint8)
