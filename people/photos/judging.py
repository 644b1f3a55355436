"""Whether a photo shows one face by which a person can be recognised. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from people.photos.errors import PhotoErrorCode, PhotoRefused

if TYPE_CHECKING:
    from heimdex.faces.base import Face

# A face in the background is at most half as large as that of the person whom the photo is of. At equal lenses that is twice the distance.
BACKGROUND_SHARE = 0.5
# The models look at a face in some 110 to 150 pixels; enlarged to more than twice its size, it has too little of what tells people apart.
SMALLEST_SIDE_PX = 60
# The variance of the Laplacian (`heimdex.faces.quality.sharpness`), of which 150 is as sharp as need be.
LEAST_SHARPNESS = 15.0

NO_FACE = "No face can be seen in this photo. Choose one that shows the person's face from the front."
SEVERAL_FACES = "Several faces of similar size can be seen. Choose a photo of this person alone, or cut the others off."
TOO_SMALL = "The face is only {side} pixels wide; {least} are needed. Choose a photo taken from nearer, or a larger copy of it."
TOO_BLURRED = "The face is too blurred to be recognised. Choose a sharper photo."


def judge(faces: "Sequence[Face]") -> "Face":
    """Return the face that a photo is of: the largest, if every other one is at most half as large.

    PhotoRefused `no_face`, `several_faces`, `too_small` or `too_blurred` when it is not fit to recognise somebody by.
    """
    if not faces:
        raise PhotoRefused(PhotoErrorCode.NO_FACE, NO_FACE)
    main, *others = sorted(faces, key=lambda face: face.side_px, reverse=True)
    if others and others[0].side_px > BACKGROUND_SHARE * main.side_px:
        raise PhotoRefused(PhotoErrorCode.SEVERAL_FACES, SEVERAL_FACES)
    if main.side_px < SMALLEST_SIDE_PX:
        raise PhotoRefused(PhotoErrorCode.TOO_SMALL, TOO_SMALL.format(side=main.side_px, least=SMALLEST_SIDE_PX))
    if main.sharpness < LEAST_SHARPNESS:
        raise PhotoRefused(PhotoErrorCode.TOO_BLURRED, TOO_BLURRED)
    return main
