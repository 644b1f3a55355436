"""Whether a photo shows one face by which a person can be recognised. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from people.photos.errors import PhotoErrorCode, PhotoRefused

if TYPE_CHECKING:
    from heimdex.faces.base import Face

# What has less than this share of the best face's quality is a mistake of the detector, or a face that looks away. On the demo's astronaut,
# whose face has 0.91 with dlib, its detector at the weakest limit also sees a pattern as large as that, at 0.18.
DOUBTFUL_SHARE = 1 / 3
# A face in the background is at most half as large as that of the person whom the photo is of. At equal lenses that is twice the distance.
BACKGROUND_SHARE = 0.5
# SFace's vector of the same face at 90 pixels and at 48 has a cosine of 0.98, at 40 of 0.87, at 32 of 0.83, at 25 of 0.71; some 0.51 counts
# as the same person, and other losses come on top. dlib finds little below 40 pixels.
SMALLEST_SIDE_PX = 40
# The variance of the Laplacian (`heimdex.faces.quality.sharpness`). The same face blurred to 48 has a cosine of 0.96 with the sharp one,
# to 8.3 of 0.81, to 6.7 of 0.78, to 4.2 of 0.59.
LEAST_SHARPNESS = 6.0

NO_FACE = "No face can be seen in this photo. Choose one that shows the person's face from the front."
SEVERAL_FACES = "Several faces of similar size can be seen. Choose a photo of this person alone, or cut the others off."
TOO_SMALL = "The face is only {side} pixels wide; {least} are needed. Choose a photo taken from nearer, or a larger copy of it."
TOO_BLURRED = "The face is too blurred to be recognised. Choose a sharper photo."


def judge(faces: "Sequence[Face]") -> "Face":
    """Return the face that a photo is of: the largest, if every other one is at most half as large. Doubtful ones do not count.

    PhotoRefused `no_face`, `several_faces`, `too_small` or `too_blurred` when it is not fit to recognise somebody by.
    """
    if not faces:
        raise PhotoRefused(PhotoErrorCode.NO_FACE, NO_FACE)
    least = DOUBTFUL_SHARE * max(face.quality for face in faces)
    certain = [face for face in faces if face.quality >= least]
    main, *others = sorted(certain, key=lambda face: (face.side_px, face.quality), reverse=True)
    if others and others[0].side_px > BACKGROUND_SHARE * main.side_px:
        raise PhotoRefused(PhotoErrorCode.SEVERAL_FACES, SEVERAL_FACES)
    if main.side_px < SMALLEST_SIDE_PX:
        raise PhotoRefused(PhotoErrorCode.TOO_SMALL, TOO_SMALL.format(side=main.side_px, least=SMALLEST_SIDE_PX))
    if main.sharpness < LEAST_SHARPNESS:
        raise PhotoRefused(PhotoErrorCode.TOO_BLURRED, TOO_BLURRED)
    return main
