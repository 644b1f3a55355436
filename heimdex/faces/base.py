"""The interface of face models, and the faces that they find."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import Embedder
from heimdex.embedders.vectors import normalize_rows, validate_vectors
from heimdex.errors import ModelInputError
from heimdex.faces.calibration import Calibration
from heimdex.faces.quality import Corners, Landmarks, measure_frontality, measure_sharpness, rate_view

if TYPE_CHECKING:
    from PIL.Image import Image

# Images with a smaller side (pixels) show no recognizable face.
MIN_IMAGE_PX = 16


@dataclass(frozen=True)
class Box:
    """The box of a face in fractions (0 to 1) of the image's width and height, so it is independent of the image size."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """The fraction of the image that it covers."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def expand(self, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the corners, in pixels of an image of this size, of the box extended by `margin` times its size on each side."""
        across, down = (self.right - self.left) * margin, (self.bottom - self.top) * margin
        width, height = size
        return (
            round(max(0.0, self.left - across) * width),
            round(max(0.0, self.top - down) * height),
            round(min(1.0, self.right + across) * width),
            round(min(1.0, self.bottom + down) * height),
        )

    def compute_overlap(self, other: "Box") -> float:
        """Return the intersection over the union of two boxes, 0 to 1."""
        both = Box(max(self.left, other.left), max(self.top, other.top), min(self.right, other.right), min(self.bottom, other.bottom))
        union = self.area + other.area - both.area
        return both.area / union if union > 0 else 0.0


@dataclass(frozen=True, eq=False)
class Face:
    """A face in an image. `quality` is 0 to 1 (`heimdex.faces.quality.rate_view`); `vector` has unit length.

    `side_px` is the shorter side of the box in pixels of the image; `sharpness` comes from `measure_sharpness`.
    """

    box: Box
    quality: float
    side_px: int
    sharpness: float
    vector: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """A face as a backend returns it, in pixels of the image. `confidence` is 0 to 1; the vector can have any length."""

    corners: Corners
    landmarks: Landmarks
    confidence: float
    vector: NDArray[np.floating]


class FaceModel(Embedder):
    """Finds the faces in images and embeds each. Loads its models on first use, and can be shared by threads.

    One model call takes one image. Images must be upright: the caller applies the EXIF orientation.
    """

    def __init__(self, *, calibration: Calibration, preferred_batch_size: int = 1) -> None:
        super().__init__(similarity_floor=calibration.threshold, batch_size=1)
        self._calibration = calibration
        self._preferred_batch_size = preferred_batch_size

    @property
    def calibration(self) -> Calibration:
        """The calibration of the cosines of this model's vectors."""
        return self._calibration

    @property
    def preferred_batch_size(self) -> int:
        return self._preferred_batch_size

    def find_faces(self, images: "Sequence[Image]") -> list[list[Face]]:
        """Return the faces of each image, the best view first. Images can have any size and mode.

        Raise ModelInputError when an image cannot be decoded, and ModelUnavailable when the model cannot be used.
        """
        return [self._find_in_image(image) for image in images]

    def _find_in_image(self, image: "Image") -> list[Face]:
        try:
            rgb = image.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise ModelInputError(f"An image cannot be decoded ({error}): replace its file.") from error
        if min(rgb.size) < MIN_IMAGE_PX:
            return []
        self._count_call()
        detected = [face for face in self._find(np.asarray(rgb)) if _measure_shorter_side(_clip(face.corners, rgb.size)) >= 1]
        if not detected:
            return []
        vectors = normalize_rows(
            validate_vectors(np.stack([face.vector for face in detected]), len(detected), self.identity.dimensions, self.identity.model)
        )
        faces = [_build_face(rgb, face, vector) for face, vector in zip(detected, vectors, strict=True)]
        return sorted(faces, key=lambda face: -face.quality)

    @abstractmethod
    def _find(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
        """Find and embed the faces of one image, (height, width, 3), RGB."""

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        raise ModelInputError(f"{self.identity.model} compares faces with faces: search for a person instead of a text.")


def _build_face(image: "Image", detected: DetectedFace, vector: NDArray[np.float32]) -> Face:
    width, height = image.size
    corners = _clip(detected.corners, image.size)
    left, top, right, bottom = corners
    side, sharpness = _measure_shorter_side(corners), measure_sharpness(image, corners)
    return Face(
        Box(left / width, top / height, right / width, bottom / height),
        rate_view(side, sharpness, measure_frontality(detected.landmarks), detected.confidence),
        int(side),
        sharpness,
        vector,
    )


def _clip(corners: Corners, size: tuple[int, int]) -> Corners:
    """Return the part of a box that lies in the image. A face at the edge can have corners outside."""
    left, top, right, bottom = corners
    return max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom)


def _measure_shorter_side(corners: Corners) -> float:
    return min(corners[2] - corners[0], corners[3] - corners[1])


def downscale(pixels: NDArray[np.uint8], max_side: int) -> tuple[NDArray[np.uint8], float]:
    """Return the image with a longer side of at most `max_side` pixels, and the factor from its coordinates to the original's."""
    from PIL import Image

    height, width = pixels.shape[:2]
    factor = max(width, height) / max_side
    if factor <= 1:
        return pixels, 1.0
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0)), factor
