"""Faces in pictures: what a model finds, and the interface that every one of them has."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import Embedder
from heimdex.embedders.errors import EmbedderError
from heimdex.embedders.vectors import checked, normalized
from heimdex.faces.calibration import Calibration
from heimdex.faces.quality import Corners, Landmarks, frontal, quality, sharpness

if TYPE_CHECKING:
    from PIL.Image import Image

# No face can be told from another in a picture less high or wide than this.
SMALLEST_SIDE = 16


@dataclass(frozen=True)
class Box:
    """Where a face is, in shares of the picture's width and height (0 to 1), so that it holds for any size of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """The share of the picture that it covers."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def around(self, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the corners, in the pixels of a picture of this size, of the box with `margin` of its width and height on each side."""
        across, down = (self.right - self.left) * margin, (self.bottom - self.top) * margin
        width, height = size
        return (
            round(max(0.0, self.left - across) * width),
            round(max(0.0, self.top - down) * height),
            round(min(1.0, self.right + across) * width),
            round(min(1.0, self.bottom + down) * height),
        )

    def overlap(self, other: "Box") -> float:
        """Return the intersection over the union of two boxes, 0 to 1."""
        both = Box(max(self.left, other.left), max(self.top, other.top), min(self.right, other.right), min(self.bottom, other.bottom))
        union = self.area + other.area - both.area
        return both.area / union if union > 0 else 0.0


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture. `quality` is 0 to 1 by the rule of `heimdex.faces.quality`; `vector` has unit length.

    `side_px` is the shorter side of the box in the picture's pixels; `sharpness` is that of `heimdex.faces.quality.sharpness`.
    """

    box: Box
    quality: float
    side_px: int
    sharpness: float
    vector: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Found:
    """What a backend says of one face, in the picture's pixels; `confidence` is 0 to 1, the vector of any length."""

    corners: Corners
    landmarks: Landmarks
    confidence: float
    vector: NDArray[np.floating]


class FaceModel(Embedder):
    """Find the faces in pictures and embed each; loads its models on first use and may be shared by threads.

    One call of the model is one picture. Pictures stand upright: turning them as their EXIF data says is the caller's matter.
    """

    def __init__(self, *, calibration: Calibration, pictures_at_once: int = 1) -> None:
        super().__init__(similarity_floor=calibration.threshold, batch_size=1)
        self._calibration = calibration
        self._pictures_at_once = pictures_at_once

    @property
    def calibration(self) -> Calibration:
        """How the cosines of this model's vectors are read."""
        return self._calibration

    @property
    def inputs_at_once(self) -> int:
        return self._pictures_at_once

    def faces(self, pictures: "Sequence[Image]") -> list[list[Face]]:
        """Return the faces of each picture, of any size and mode, in the order of the pictures and the best view first.

        EmbedderError when a picture cannot be decoded; EmbedderUnavailable when the model cannot be used.
        """
        return [self._faces(picture) for picture in pictures]

    def _faces(self, picture: "Image") -> list[Face]:
        try:
            upright = picture.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise EmbedderError(f"A picture cannot be decoded ({error}): replace its file.") from error
        if min(upright.size) < SMALLEST_SIDE:
            return []
        self._count_call()
        found = [one for one in self._find(np.asarray(upright)) if _side(_visible(one.corners, upright.size)) >= 1]
        if not found:
            return []
        vectors = normalized(checked(np.stack([one.vector for one in found]), len(found), self.identity.dimensions, self.identity.model))
        faces = [_face(upright, one, vector) for one, vector in zip(found, vectors, strict=True)]
        return sorted(faces, key=lambda face: -face.quality)

    @abstractmethod
    def _find(self, pixels: NDArray[np.uint8]) -> list[Found]:
        """Find and embed the faces of one picture, (height, width, 3) in the order red, green, blue."""

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        raise EmbedderError(f"{self.identity.model} compares faces with faces: search for a person instead of a text.")


def _face(picture: "Image", found: Found, vector: NDArray[np.float32]) -> Face:
    width, height = picture.size
    corners = _visible(found.corners, picture.size)
    left, top, right, bottom = corners
    side, sharp = _side(corners), sharpness(picture, corners)
    return Face(
        Box(left / width, top / height, right / width, bottom / height),
        quality(side, sharp, frontal(found.landmarks), found.confidence),
        int(side),
        sharp,
        vector,
    )


def _visible(corners: Corners, size: tuple[int, int]) -> Corners:
    """Return what of a box lies in the picture: a face that is cut off has corners beyond its edge."""
    left, top, right, bottom = corners
    return max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom)


def _side(corners: Corners) -> float:
    return min(corners[2] - corners[0], corners[3] - corners[1])


def reduced(pixels: NDArray[np.uint8], longest: int) -> tuple[NDArray[np.uint8], float]:
    """Return a picture whose longer side has at most `longest` pixels, and by what its coordinates are multiplied to be the original's."""
    from PIL import Image

    height, width = pixels.shape[:2]
    factor = max(width, height) / longest
    if factor <= 1:
        return pixels, 1.0
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0)), factor
