"""What is kept of a photo: the picture, upright, and nothing else."""

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
    """Return a function that writes a picture, or bytes, to a file."""

    def write(content: Image.Image | bytes, kind: str = "JPEG", **options: Any) -> Path:
        path = tmp_path / "original"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path, kind, **options)
        return path

    return write


def quarters(width: int = 400, height: int = 300) -> Image.Image:
    """Return a picture whose corners are red, green, blue and gray, from the upper left on."""
    image = Image.new("RGB", (width, height), (128, 128, 128))
    image.paste((255, 0, 0), (0, 0, width // 2, height // 2))
    image.paste((0, 255, 0), (width // 2, 0, width, height // 2))
    image.paste((0, 0, 255), (0, height // 2, width // 2, height))
    return image


def corners(clean: CleanPhoto) -> list[str]:
    """Return what the four corners of a copy look like."""
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
    return [min(names.items(), key=lambda one: abs(np.array(one[0]) - pixel).sum())[1] for pixel in seen]


def exif(orientation: int) -> Image.Exif:
    """Return what a telephone writes: which way it was held, who made it, and where it was."""
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
def test_a_photo_is_turned_upright_as_the_camera_says(store: Store, orientation: int, expected: list[str]) -> None:
    clean = clean_photo(store(quarters(), exif=exif(orientation)))

    assert corners(clean) == expected
    assert (clean.width, clean.height) == ((300, 400) if orientation in (5, 6, 7, 8) else (400, 300))


def test_a_heic_photo_is_turned_once_though_its_file_says_it_twice(store: Store) -> None:
    photo = quarters()
    # Written as telephones do: as a property of the picture, and in the EXIF data, which counts no more.
    photo.info["exif"] = exif(6).tobytes()

    clean = clean_photo(store(photo, "HEIF", quality=90))

    assert corners(clean) == ["blue", "red", "gray", "green"]
    assert (clean.width, clean.height) == (300, 400)


def test_nothing_that_the_file_says_beside_the_picture_is_kept(store: Store) -> None:
    words = PngInfo()
    words.add_text("Location", SECRET.decode())
    profile = b"\0" * 128 + SECRET
    for kind, options in (
        ("JPEG", {"exif": exif(6), "comment": SECRET, "xmp": SECRET, "icc_profile": profile, "dpi": (313, 313)}),
        ("PNG", {"exif": exif(6), "pnginfo": words}),
        ("WEBP", {"exif": exif(6), "xmp": SECRET}),
        ("HEIF", {"exif": exif(6), "xmp": SECRET}),
    ):
        path = store(quarters(), kind, **options)
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
        clean = clean_photo(store(quarters(*size) if min(size) > 1 else Image.new("RGB", size)))

        assert (clean.width, clean.height) == expected == Image.open(io.BytesIO(clean.image)).size
        assert max(Image.open(io.BytesIO(clean.thumbnail)).size) == min(max(expected), THUMBNAIL_SIDE)
    assert IMAGE_SIDE == 1600


def test_the_same_file_gives_the_same_copy(store: Store) -> None:
    path = store(quarters(3000, 2000), quality=60)

    assert clean_photo(path) == clean_photo(path)


def _transparent() -> Image.Image:
    image = quarters().convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.paste((0, 0, 0, 0), (0, 0, 50, 50))
    return image


def _deep() -> Image.Image:
    gray = np.full((300, 400), 128 << 8, dtype=np.uint16)
    gray[:150, :200], gray[:150, 200:] = 65535, 0
    return Image.fromarray(gray)


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (quarters().convert("CMYK"), "JPEG", ["red", "green", "blue", "gray"]),
        (quarters().convert("L"), "JPEG", None),
        (quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG", ["red", "green", "blue", "gray"]),
        (quarters().convert("LA"), "PNG", None),
        (_transparent(), "PNG", ["white", "green", "blue", "gray"]),
        (_transparent(), "WEBP", ["white", "green", "blue", "gray"]),
        (_transparent(), "HEIF", ["white", "green", "blue", "gray"]),
        (_deep(), "PNG", ["white", "black", "gray", "gray"]),
        (quarters().convert("1"), "PNG", None),
    ],
)
def test_every_kind_of_pixels_comes_out_as_it_looks(store: Store, image: Image.Image, kind: str, expected: list[str] | None) -> None:
    clean = clean_photo(store(image, kind))

    assert (clean.width, clean.height) == (400, 300)
    assert expected is None or corners(clean) == expected


def test_of_several_pictures_the_first_counts(store: Store) -> None:
    moving = {"save_all": True, "append_images": [Image.new("RGB", (400, 300))]}

    for kind in ("MPO", "WEBP", "PNG"):
        assert corners(clean_photo(store(quarters(), kind, **moving))) == ["red", "green", "blue", "gray"]


def _jpeg() -> bytes:
    buffer = io.BytesIO()
    quarters().save(buffer, "JPEG")
    return buffer.getvalue()


def test_nonsense_beside_a_picture_does_no_harm(store: Store) -> None:
    nonsense = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40
    jpeg = _jpeg()
    spoilt = jpeg[:2] + b"\xff\xe1" + (len(nonsense) + 2).to_bytes(2) + nonsense + jpeg[2:]

    assert corners(clean_photo(store(spoilt))) == ["red", "green", "blue", "gray"]


def _as(kind: str) -> bytes:
    buffer = io.BytesIO()
    quarters().save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_picture"),
        (b"\xff", "not_a_picture"),
        (b"<html><script>alert(1)</script></html>", "not_a_picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "not_a_picture"),
        (_as("HEIF")[:300], "not_a_picture"),
        (_as("AVIF"), "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://127.0.0.1/'/></svg>", "not_a_picture"),
        (_as("GIF"), "not_a_picture"),
        (_as("TIFF"), "not_a_picture"),
        (_as("EPS"), "not_a_picture"),
        (_as("BMP"), "not_a_picture"),
        (_jpeg()[:600], "damaged"),
        (_jpeg()[:-400], "damaged"),
        (_as("PNG")[:300], "damaged"),
        (_as("WEBP")[:200], "damaged"),
    ],
)
def test_what_is_no_whole_picture_of_a_known_kind_is_refused(store: Store, content: bytes, code: str) -> None:
    with pytest.raises(MediaError) as refused:
        clean_photo(store(content))

    assert refused.value.code == code
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("size", [(16_000, 16_000), (9000, 9000), (40_000, 10)])
def test_a_small_file_of_very_many_pixels_is_refused_undecoded(store: Store, size: tuple[int, int]) -> None:
    path = store(Image.new("1", size), "PNG")
    assert path.stat().st_size < 100_000

    with pytest.raises(MediaError, match="Scale it down") as refused:
        clean_photo(path)

    assert refused.value.code == "too_large_picture"
