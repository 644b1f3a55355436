"""A photo as it is kept: upright, of a bounded size, and without anything that its file said beside the picture."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from heimdex.media.errors import MediaError, MediaErrorCode

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

# Of what cameras, telephones and browsers make; HEIF is read by pillow-heif.
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
# The most detailed photos of telephones have 50 million pixels; decoding so many took 490 MiB at most (PNG).
MOST_PIXELS = 64 * 1024**2
# No side may be longer: a strip of a pixel's height would be scaled to nothing.
LONGEST_SIDE = 30_000
# A face that fills a tenth of such a picture has all the detail that the models look at.
PICTURE_SIDE = 1600
THUMBNAIL_SIDE = 320
_QUALITY = 90
_ORIENTATION = 0x0112

NOT_A_PICTURE = "This is not a picture that can be read. Upload a photo as JPEG, PNG, WebP or HEIC."
TOO_LARGE = f"The picture has more than {MOST_PIXELS // 10**6} million pixels, or is very long. Scale it down and upload that."
DAMAGED = "The picture is damaged or incomplete. Export or copy it again and upload that."

# What Pillow's readers raise for files that begin well.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error)


@dataclass(frozen=True)
class CleanPhoto:
    """The copy that is kept and a small one for lists, as JPEG; width and height of the former in pixels."""

    picture: bytes
    thumbnail: bytes
    width: int
    height: int


def clean_photo(path: Path) -> CleanPhoto:
    """Decode a photo and make the copies of it; of a file with several pictures the first counts.

    What is transparent becomes white. MediaError `not_a_picture`, `damaged` or `too_large_picture` when it cannot be.
    """
    from PIL import Image, UnidentifiedImageError
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS or max(image.size) > LONGEST_SIDE:
                raise MediaError(MediaErrorCode.TOO_LARGE_PICTURE, TOO_LARGE)
            return _copies(image)
    except Image.DecompressionBombError as error:
        raise MediaError(MediaErrorCode.TOO_LARGE_PICTURE, TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise MediaError(MediaErrorCode.NOT_A_PICTURE, NOT_A_PICTURE) from error
    except _UNREADABLE as error:
        raise MediaError(MediaErrorCode.DAMAGED, DAMAGED) from error


def _copies(image: "Image") -> CleanPhoto:
    from PIL import Image

    turned = _turn(image)
    # JPEG is then decoded at half or a quarter of its size, as long as that is still larger than the copy.
    image.draft("RGB", (PICTURE_SIDE, PICTURE_SIDE))
    picture = _flat(image)
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if turned is not None:
        picture = picture.transpose(turned)
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return CleanPhoto(_jpeg(picture), _jpeg(small), picture.width, picture.height)


def _turn(image: "Image") -> "Transpose | None":
    """Return how the picture must be turned to stand upright, as its EXIF data says (Exif 2.32, tag 274)."""
    from PIL.Image import Transpose

    try:
        orientation = image.getexif().get(_ORIENTATION)
    except _UNREADABLE:
        # Nonsense beside the picture does not make the picture worse.
        return None
    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation if isinstance(orientation, int) else 1)


def _flat(image: "Image") -> "Image":
    """Return the picture in red, green and blue, on white."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        # Pillow cuts brightness off at 255 instead of scaling it.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if "transparency" not in image.info and "A" not in image.mode and "a" not in image.mode:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGB", layer.size, "white")
    ground.paste(layer, mask=layer.getchannel("A"))
    return ground


def _jpeg(picture: "Image") -> bytes:
    from PIL import Image

    # A new picture has none of what the old one's file said: position, camera, comments, a smaller picture of what was cut away.
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    buffer = io.BytesIO()
    clean.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
