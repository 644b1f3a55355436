"""Faces with dlib, and the weights that the package `face_recognition_models` carries (public domain, CC0)."""

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
from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.embedders.weights import installed_version, packaged_folder
from heimdex.faces.base import FaceModel, Found, reduced
from heimdex.faces.calibration import Calibration
from heimdex.faces.quality import Corners, Landmarks

WEIGHTS, WEIGHTS_VERSION = "face_recognition_models", "0.3.0"
EMBEDDING = "dlib_face_recognition_resnet_model_v1"
LANDMARKS = "shape_predictor_5_face_landmarks.dat"
CNN = "mmod_human_face_detector.dat"
DIMENSIONS = 128
# Faces are looked for in a picture of this longest side, and embedded from the picture itself.
LONGEST_SIDE = 1280
DETECTORS = ("hog", "cnn")
# Measured on 638 photos: what scored lower was clothes, shadows, and one face of 52 pixels that is turned far aside; other faces had 0.42.
LEAST_SCORE = 0.3
MOST_UPSAMPLING = 3
# Fitted by `bench/faces.py` (F1) to photos of 615 persons, most of them official portraits of one parliament, which are much alike. At the
# threshold 16 of 17 pairs of one person were recognised (the other at 0.935), and 7 of 194,356 pairs of two persons taken for one; none
# from 0.957 on, where 14 of the 17 are recognised.
CALIBRATION = Calibration(threshold=0.945, middle=0.928, slope=85.0)

Detected = tuple[Any, float]


@dataclass(frozen=True)
class LoadedDlib:
    """The models in memory: what finds boxes, each with a confidence of 0 to 1, what finds eyes and nose, and what embeds."""

    detect: Callable[[NDArray[np.uint8]], list[Detected]]
    landmarks: Any
    embedding: Any


class DlibFaces(FaceModel):
    """Find faces with dlib's `hog` or `cnn` detector and embed them with its ResNet (King 2017, 99.4 % on LFW).

    `upsample` doubles the picture so many times beforehand: 0 finds faces from about 80 pixels on, 1 from 40, 2 from 20.
    """

    def __init__(self, detector: str = "hog", upsample: int = 1) -> None:
        # A few seconds' work, after which it is written down and a stop is heeded.
        super().__init__(calibration=CALIBRATION, pictures_at_once=4 if detector == "hog" else 1)
        self._detector = detector
        self._upsample = upsample
        self._using = threading.Lock()

    @property
    def identity(self) -> EmbedderIdentity:
        """Name the weights and what decides which faces are found; loads nothing."""
        revision = f"{WEIGHTS} {WEIGHTS_VERSION}, 5 points, {self._detector} upsampled {self._upsample} times at {LONGEST_SIDE} px"
        return EmbedderIdentity("dlib", EMBEDDING, revision, DIMENSIONS)

    def check(self) -> list[str]:
        problems = []
        if self._detector not in DETECTORS:
            problems.append(f'There is no face detector {self._detector!r}: set "detector" of "faces" in HEIMDEX_MODELS to hog or cnn.')
        if not isinstance(self._upsample, int) or not 0 <= self._upsample <= MOST_UPSAMPLING:
            problems.append(
                f'A picture cannot be doubled {self._upsample!r} times: set "upsample" of "faces" in HEIMDEX_MODELS to 0, 1, 2 or 3.'
            )
        if find_spec("dlib") is None:
            problems.append(
                'Finding faces with dlib needs the package dlib-bin: install requirements/dlib.txt, or leave "faces" out of HEIMDEX_MODELS.'
            )
        installed = installed_version(WEIGHTS)
        if installed != WEIGHTS_VERSION or packaged_folder(WEIGHTS, "models") is None:
            problems.append(
                f"Finding faces with dlib needs the package {WEIGHTS} {WEIGHTS_VERSION}, but {installed or 'none'} is installed: "
                'install requirements/dlib.txt, or leave "faces" out of HEIMDEX_MODELS.'
            )
        return problems

    def _find(self, pixels: NDArray[np.uint8]) -> list[Found]:
        # Neither the detectors nor the network may be used by two threads at once.
        with self._using:
            return _find(self._loaded, pixels)

    @cached_property
    def _loaded(self) -> LoadedDlib:
        if problems := self.check():
            raise EmbedderUnavailable(" ".join(problems))
        import dlib

        # Asked for by its path: the package itself cannot be imported without `pkg_resources`.
        folder = packaged_folder(WEIGHTS, "models") or Path()
        try:
            detect = _hog(self._upsample) if self._detector == "hog" else _cnn(folder / CNN, self._upsample)
            return LoadedDlib(
                detect, dlib.shape_predictor(str(folder / LANDMARKS)), dlib.face_recognition_model_v1(str(folder / f"{EMBEDDING}.dat"))
            )
        except RuntimeError as error:
            raise EmbedderUnavailable(f"dlib cannot read its weights in {folder} ({error}): reinstall {WEIGHTS}.") from error


def _find(loaded: LoadedDlib, pixels: NDArray[np.uint8]) -> list[Found]:
    import dlib

    smaller, factor = reduced(pixels, LONGEST_SIDE)
    # Eyes and nose are looked for in the picture itself, where a face of a large photo keeps its detail.
    boxes = [(_scaled(rectangle, factor), confidence) for rectangle, confidence in loaded.detect(smaller)]
    shapes = [loaded.landmarks(pixels, box) for box, _ in boxes]
    if not shapes:
        return []
    vectors = np.array(loaded.embedding.compute_face_descriptor(pixels, dlib.full_object_detections(shapes)), dtype=np.float32)
    return [
        Found(_corners(box), _landmarks(shape), confidence, vector)
        for (box, confidence), shape, vector in zip(boxes, shapes, vectors, strict=True)
    ]


def _hog(upsample: int) -> Callable[[NDArray[np.uint8]], list[Detected]]:
    import dlib

    detector = dlib.get_frontal_face_detector()

    def detect(pixels: NDArray[np.uint8]) -> list[Detected]:
        rectangles, scores, _ = detector.run(pixels, upsample, LEAST_SCORE)
        return [(rectangle, min(1.0, score)) for rectangle, score in zip(rectangles, scores, strict=True)]

    return detect


def _cnn(weights: Path, upsample: int) -> Callable[[NDArray[np.uint8]], list[Detected]]:
    import dlib

    detector = dlib.cnn_face_detection_model_v1(str(weights))

    def detect(pixels: NDArray[np.uint8]) -> list[Detected]:
        return [(found.rect, max(0.0, min(1.0, found.confidence))) for found in detector(pixels, upsample)]

    return detect


def _scaled(rectangle: Any, factor: float) -> Any:
    import dlib

    sides = (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
    return dlib.rectangle(*(round(side * factor) for side in sides))


def _corners(rectangle: Any) -> Corners:
    # dlib's right and bottom are the last pixels within.
    return float(rectangle.left()), float(rectangle.top()), float(rectangle.right() + 1), float(rectangle.bottom() + 1)


def _landmarks(shape: Any) -> Landmarks:
    """Read the five points: the two corners of the eye at the right of the picture, those of the other, and the nose's base."""
    points = [(float(point.x), float(point.y)) for point in shape.parts()]
    return Landmarks(left_eye=_between(points[2], points[3]), right_eye=_between(points[0], points[1]), nose=points[4])


def _between(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
