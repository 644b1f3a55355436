"""Make the stored copy of a photo: upright, of bounded size, without metadata."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.opened_files import open_input

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

# The formats of cameras, phones and browsers. pillow-heif reads HEIF.
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
# The most detailed photos of phones have 50 million pixels. Decoding that many took at most 490 MiB (PNG).
MAX_PIXELS = 64 * 1024**2
# The limit for one side: a strip one pixel high would be scaled to nothing.
MAX_SIDE = 30_000
# A face that fills a tenth of an image this large has all the detail that the models use.
IMAGE_SIDE = 1600
THUMBNAIL_SIDE = 320
_QUALITY = 90
_ORIENTATION = 0x0112

NOT_AN_IMAGE = "This file is not a readable image. Upload a photo as JPEG, PNG, WebP or HEIC."
TOO_LARGE = f"The image has more than {MAX_PIXELS // 10**6} million pixels, or a side is too long. Scale it down and upload that."
DAMAGED = "The image is damaged or incomplete. Export or copy it again and upload that."

# Pillow's readers raise these for files with a valid start.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error)


@dataclass(frozen=True)
class CleanPhoto:
    """The stored copy and a thumbnail for lists, as JPEG; width and height of the copy in pixels."""

    image: bytes
    thumbnail: bytes
    width: int
    height: int


def load_libraries() -> None:
    """Import what decoding needs, while a sandboxed process can still open files."""
    import pillow_heif  # noqa: F401
    from PIL import Image

    Image.init()


def clean_photo(path: Path) -> CleanPhoto:
    """Decode a photo and make its copies. If a file has several images, use the first.

    Transparent parts become white. Raise MediaError `not_a_picture`, `damaged` or `too_large_picture` when the file is unusable.
    """
    from PIL import Image, UnidentifiedImageError
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
    try:
        with open_input(path) as file, Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
                raise MediaError(MediaErrorCode.TOO_LARGE_IMAGE, TOO_LARGE)
            return _make_copies(image)
    except Image.DecompressionBombError as error:
        raise MediaError(MediaErrorCode.TOO_LARGE_IMAGE, TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise MediaError(MediaErrorCode.NOT_AN_IMAGE, NOT_AN_IMAGE) from error
    except _UNREADABLE as error:
        raise MediaError(MediaErrorCode.DAMAGED, DAMAGED) from error


def _make_copies(image: "Image") -> CleanPhoto:
    from PIL import Image

    transpose = _find_transpose(image)
    # JPEG is then decoded at half or a quarter of its size, if that is still larger than the copy.
    image.draft("RGB", (IMAGE_SIDE, IMAGE_SIDE))
    copy = _flatten(image)
    copy.thumbnail((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if transpose is not None:
        copy = copy.transpose(transpose)
    thumbnail = copy.copy()
    thumbnail.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return CleanPhoto(_encode_jpeg(copy), _encode_jpeg(thumbnail), copy.width, copy.height)


def _find_transpose(image: "Image") -> "Transpose | None":
    """Return the transposition that makes the image upright according to its EXIF data (Exif 2.32, tag 274)."""
    from PIL.Image import Transpose

    try:
        orientation = image.getexif().get(_ORIENTATION)
    except _UNREADABLE:
        # Invalid metadata is no reason to reject the image.
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


def _flatten(image: "Image") -> "Image":
    """Return the image in RGB on a white background."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        # Pillow clips brightness at 255 instead of scaling it.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if "transparency" not in image.info and "A" not in image.mode and "a" not in image.mode:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    background = Image.new("RGB", layer.size, "white")
    background.paste(layer, mask=layer.getchannel("A"))
    return background


def _encode_jpeg(image: "Image") -> bytes:
    from PIL import Image

    # A new image has none of the file's metadata: position, camera, comments, a thumbnail with cropped parts.
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    buffer = io.BytesIO()
    clean.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
