"""Images with known faces, all derived from one free image: NASA's portrait of an astronaut."""

from functools import cache

from PIL import Image, ImageFilter

from demo.film import ASSETS
from heimdex.faces.base import Box

# Of her 512 × 512 pixels: from the brow to the chin, and from ear to ear.
FACE = Box(172 / 512, 68 / 512, 276 / 512, 172 / 512)
GRAY = (120, 120, 120)


@cache
def load_image(name: str) -> Image.Image:
    """Load an image of the demo."""
    with Image.open(ASSETS / name) as image:
        return image.convert("RGB")


def load_astronaut() -> Image.Image:
    """Load the portrait: one face that looks into the camera."""
    return load_image("astronaut.jpg")


def shrink_astronaut(factor: float) -> Image.Image:
    """Return the portrait scaled by a factor, in the middle of a 1280 × 720 frame."""
    side = round(512 * factor)
    frame = Image.new("RGB", (1280, 720), GRAY)
    frame.paste(load_astronaut().resize((side, side), Image.Resampling.LANCZOS), ((1280 - side) // 2, (720 - side) // 2))
    return frame


def tilt_astronaut(degrees: float) -> Image.Image:
    """Return the portrait rotated around its center."""
    return load_astronaut().rotate(degrees, Image.Resampling.BICUBIC, fillcolor=GRAY)


def blur_astronaut(radius: float) -> Image.Image:
    """Return the portrait out of focus."""
    return load_astronaut().filter(ImageFilter.GaussianBlur(radius))


def duplicate_astronaut() -> Image.Image:
    """Return a frame with two faces: at the left the portrait, at the right its mirror image at two thirds of the size."""
    frame = Image.new("RGB", (1024, 512), GRAY)
    frame.paste(load_astronaut(), (0, 0))
    frame.paste(load_astronaut().transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((341, 341), Image.Resampling.LANCZOS), (600, 100))
    return frame
