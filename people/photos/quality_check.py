"""Check that a photo shows one face that is good enough to recognize a person. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from people.errors import PhotoErrorCode, PhotoRejected

if TYPE_CHECKING:
    from heimdex.faces.base import Face

# A face below this fraction of the best face's quality is a false detection or a face that looks away. On the demo's astronaut photo, whose
# face has quality 0.91 with dlib, the detector at its lowest threshold also finds a pattern of the same size, with quality 0.18.
MIN_QUALITY_RATIO = 1 / 3
# A background face is at most half as large as the main face: with the same lens, it is twice as far away.
MAX_BACKGROUND_RATIO = 0.5
# SFace's vectors of one face at 90 pixels and at 48 have a cosine of 0.98, at 40 of 0.87, at 32 of 0.83, at 25 of 0.71. About 0.51 counts
# as the same person, and other losses add to this one. dlib finds few faces below 40 pixels.
MIN_SIDE_PX = 40
# Variance of the Laplacian (`heimdex.faces.quality.measure_sharpness`). The same face blurred to 48 has a cosine of 0.96 with the sharp
# one, to 8.3 of 0.81, to 6.7 of 0.78, to 4.2 of 0.59.
MIN_SHARPNESS = 6.0

NO_FACE = "No face was found in this photo. Choose one that shows the person's face from the front."
SEVERAL_FACES = "The photo shows several faces of similar size. Choose a photo of this person alone, or crop the others out."
TOO_SMALL = "The face is only {side} pixels wide; at least {least} are needed. Choose a closer photo or a larger copy of it."
TOO_BLURRED = "The face is too blurred to be recognized. Choose a sharper photo."


def check_quality(faces: "Sequence[Face]") -> "Face":
    """Return the main face of a photo: the largest, if every other face is at most half as large. Ignore doubtful faces.

    Raise PhotoRejected (`no_face`, `several_faces`, `too_small` or `too_blurred`) when the photo is not good enough.
    """
    if not faces:
        raise PhotoRejected(PhotoErrorCode.NO_FACE, NO_FACE)
    min_quality = MIN_QUALITY_RATIO * max(face.quality for face in faces)
    reliable = [face for face in faces if face.quality >= min_quality]
    main, *others = sorted(reliable, key=lambda face: (face.side_px, face.quality), reverse=True)
    if others and others[0].side_px > MAX_BACKGROUND_RATIO * main.side_px:
        raise PhotoRejected(PhotoErrorCode.SEVERAL_FACES, SEVERAL_FACES)
    if main.side_px < MIN_SIDE_PX:
        raise PhotoRejected(PhotoErrorCode.TOO_SMALL, TOO_SMALL.format(side=main.side_px, least=MIN_SIDE_PX))
    if main.sharpness < MIN_SHARPNESS:
        raise PhotoRejected(PhotoErrorCode.TOO_BLURRED, TOO_BLURRED)
    return main
