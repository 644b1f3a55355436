"""The stored copy of a photo is upright and has no metadata."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pillow_heif import register_heif_opener

from heimdex.media.errors import MediaError
from heimdex.media.photos import IMAGE_SIDE, THUMBNAIL_SIDE, CleanPhoto, clean_photo

register_heif_opener()
SECRET = b"Leuchtturm 54.1234"
Store = Callable[..., Path]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a function that writes an image, or bytes, to a file."""

    def write(content: Image.Image | bytes, kind: str = "JPEG", **options: Any) -> Path:
        path = tmp_path / "original"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path, kind, **options)
        return path

    return write


def make_quarters(width: int = 400, height: int = 300) -> Image.Image:
    """Draw an image whose corners are red, green, blue and gray, row by row."""
    image = Image.new("RGB", (width, height), (128, 128, 128))
    image.paste((255, 0, 0), (0, 0, width // 2, height // 2))
    image.paste((0, 255, 0), (width // 2, 0, width, height // 2))
    image.paste((0, 0, 255), (0, height // 2, width // 2, height))
    return image


def name_corner_colors(clean: CleanPhoto) -> list[str]:
    """Return the colors of a copy's four corners."""
    image = Image.open(io.BytesIO(clean.image))
    names = {
        (255, 0, 0): "red",
        (0, 255, 0): "green",
        (0, 0, 255): "blue",
        (128, 128, 128): "gray",
        (255, 255, 255): "white",
        (0, 0, 0): "black",
    }
    at = [(5, 5), (image.width - 6, 5), (5, image.height - 6), (image.width - 6, image.height - 6)]
    seen = np.array([image.getpixel(place) for place in at])
    return [min(names.items(), key=lambda item: abs(np.array(item[0]) - pixel).sum())[1] for pixel in seen]


def make_exif(orientation: int) -> Image.Exif:
    """Build the metadata that a phone writes: orientation, maker and position."""
    data = Image.Exif()
    data[0x0112], data[0x010F] = orientation, SECRET.decode()
    data.get_ifd(0x8825).update({1: "N", 2: (54.0, 12.0, 34.0), 29: SECRET.decode()})
    return data


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, ["red", "green", "blue", "gray"]),
        (2, ["green", "red", "gray", "blue"]),
        (3, ["gray", "blue", "green", "red"]),
        (4, ["blue", "gray", "red", "green"]),
        (5, ["red", "blue", "green", "gray"]),
        (6, ["blue", "red", "gray", "green"]),
        (7, ["gray", "green", "blue", "red"]),
        (8, ["green", "gray", "red", "blue"]),
        (77, ["red", "green", "blue", "gray"]),
    ],
)
def test_a_photo_is_rotated_by_its_exif_orientation(store: Store, orientation: int, expected: list[str]) -> None:
    clean = clean_photo(store(make_quarters(), exif=make_exif(orientation)))

    assert name_corner_colors(clean) == expected
    assert (clean.width, clean.height) == ((300, 400) if orientation in (5, 6, 7, 8) else (400, 300))


def test_a_heic_photo_with_two_orientations_is_rotated_once(store: Store) -> None:
    photo = make_quarters()
    # Phones write the orientation as a property of the image, and again in the EXIF data, which is then ignored.
    photo.info["exif"] = make_exif(6).tobytes()

    clean = clean_photo(store(photo, "HEIF", quality=90))

    assert name_corner_colors(clean) == ["blue", "red", "gray", "green"]
    assert (clean.width, clean.height) == (300, 400)


def test_no_metadata_is_kept(store: Store) -> None:
    words = PngInfo()
    words.add_text("Location", SECRET.decode())
    profile = b"\0" * 128 + SECRET
    for kind, options in (
        ("JPEG", {"exif": make_exif(6), "comment": SECRET, "xmp": SECRET, "icc_profile": profile, "dpi": (313, 313)}),
        ("PNG", {"exif": make_exif(6), "pnginfo": words}),
        ("WEBP", {"exif": make_exif(6), "xmp": SECRET}),
        ("HEIF", {"exif": make_exif(6), "xmp": SECRET}),
    ):
        path = store(make_quarters(), kind, **options)
        assert SECRET in path.read_bytes()

        clean = clean_photo(path)

        for copy in (clean.image, clean.thumbnail):
            assert SECRET not in copy
            image = Image.open(io.BytesIO(copy))
            assert (image.format, image.mode, dict(image.getexif())) == ("JPEG", "RGB", {})
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert image.info["jfif_unit"] == 0


def test_a_large_photo_is_scaled_down_and_a_small_one_stays(store: Store) -> None:
    for size, expected in (
        ((5000, 2500), (1600, 800)),
        ((1200, 4800), (400, 1600)),
        ((1601, 7), (1600, 7)),
        ((90, 60), (90, 60)),
        ((1, 1), (1, 1)),
    ):
        clean = clean_photo(store(make_quarters(*size) if min(size) > 1 else Image.new("RGB", size)))

        assert (clean.width, clean.height) == expected == Image.open(io.BytesIO(clean.image)).size
        assert max(Image.open(io.BytesIO(clean.thumbnail)).size) == min(max(expected), THUMBNAIL_SIDE)
    assert IMAGE_SIDE == 1600


def test_the_same_file_gives_the_same_copy(store: Store) -> None:
    path = store(make_quarters(3000, 2000), quality=60)

    assert clean_photo(path) == clean_photo(path)


def _make_transparent() -> Image.Image:
    image = make_quarters().convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.paste((0, 0, 0, 0), (0, 0, 50, 50))
    return image


def _make_16_bit() -> Image.Image:
    gray = np.full((300, 400), 128 << 8, dtype=np.uint16)
    gray[:150, :200], gray[:150, 200:] = 65535, 0
    return Image.fromarray(gray)


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (make_quarters().convert("CMYK"), "JPEG", ["red", "green", "blue", "gray"]),
        (make_quarters().convert("L"), "JPEG", None),
        (make_quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG", ["red", "green", "blue", "gray"]),
        (make_quarters().convert("LA"), "PNG", None),
        (_make_transparent(), "PNG", ["white", "green", "blue", "gray"]),
        (_make_transparent(), "WEBP", ["white", "green", "blue", "gray"]),
        (_make_transparent(), "HEIF", ["white", "green", "blue", "gray"]),
        (_make_16_bit(), "PNG", ["white", "black", "gray", "gray"]),
        (make_quarters().convert("1"), "PNG", None),
    ],
)
def test_every_pixel_format_keeps_its_colors(store: Store, image: Image.Image, kind: str, expected: list[str] | None) -> None:
    clean = clean_photo(store(image, kind))

    assert (clean.width, clean.height) == (400, 300)
    assert expected is None or name_corner_colors(clean) == expected


def test_the_first_of_several_images_is_used(store: Store) -> None:
    moving = {"save_all": True, "append_images": [Image.new("RGB", (400, 300))]}

    for kind in ("MPO", "WEBP", "PNG"):
        assert name_corner_colors(clean_photo(store(make_quarters(), kind, **moving))) == ["red", "green", "blue", "gray"]


def _encode_jpeg() -> bytes:
    buffer = io.BytesIO()
    make_quarters().save(buffer, "JPEG")
    return buffer.getvalue()


def test_invalid_metadata_does_not_matter(store: Store) -> None:
    nonsense = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40
    jpeg = _encode_jpeg()
    spoilt = jpeg[:2] + b"\xff\xe1" + (len(nonsense) + 2).to_bytes(2) + nonsense + jpeg[2:]

    assert name_corner_colors(clean_photo(store(spoilt))) == ["red", "green", "blue", "gray"]


def _encode_as(kind: str) -> bytes:
    buffer = io.BytesIO()
    make_quarters().save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_picture"),
        (b"\xff", "not_a_picture"),
        (b"<html><script>alert(1)</script></html>", "not_a_picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "not_a_picture"),
        (_encode_as("HEIF")[:300], "not_a_picture"),
        (_encode_as("AVIF"), "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://127.0.0.1/'/></svg>", "not_a_picture"),
        (_encode_as("GIF"), "not_a_picture"),
        (_encode_as("TIFF"), "not_a_picture"),
        (_encode_as("EPS"), "not_a_picture"),
        (_encode_as("BMP"), "not_a_picture"),
        (_encode_jpeg()[:600], "damaged"),
        (_encode_jpeg()[:-400], "damaged"),
        (_encode_as("PNG")[:300], "damaged"),
        (_encode_as("WEBP")[:200], "damaged"),
    ],
)
def test_damaged_images_and_unknown_formats_are_rejected(store: Store, content: bytes, code: str) -> None:
    with pytest.raises(MediaError) as refused:
        clean_photo(store(content))

    assert refused.value.code == code
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("size", [(16_000, 16_000), (9000, 9000), (40_000, 10)])
def test_a_small_file_with_very_many_pixels_is_rejected_undecoded(store: Store, size: tuple[int, int]) -> None:
    path = store(Image.new("1", size), "PNG")
    assert path.stat().st_size < 100_000

    with pytest.raises(MediaError, match="Scale it down") as refused:
        clean_photo(path)

    assert refused.value.code == "too_large_picture"
