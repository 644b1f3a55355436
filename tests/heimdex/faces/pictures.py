"""Pictures with known faces, all made from the one that may be shown: NASA's portrait of an astronaut."""

from functools import cache

from PIL import Image, ImageFilter

from demo.film import ASSETS
from heimdex.faces.base import Box

# Of her 512 × 512 pixels: from the brow to the chin, and from ear to ear.
FACE = Box(172 / 512, 68 / 512, 276 / 512, 172 / 512)
GRAY = (120, 120, 120)


@cache
def picture(name: str) -> Image.Image:
    """Return a picture of the demo."""
    with Image.open(ASSETS / name) as image:
        return image.convert("RGB")


def astronaut() -> Image.Image:
    """Return the portrait: one face, which looks into the camera."""
    return picture("astronaut.jpg")


def smaller(factor: float) -> Image.Image:
    """Return the portrait at a share of its size, in the middle of a 1280 × 720 frame."""
    side = round(512 * factor)
    frame = Image.new("RGB", (1280, 720), GRAY)
    frame.paste(astronaut().resize((side, side), Image.Resampling.LANCZOS), ((1280 - side) // 2, (720 - side) // 2))
    return frame


def tilted(degrees: float) -> Image.Image:
    """Return the portrait turned about its middle."""
    return astronaut().rotate(degrees, Image.Resampling.BICUBIC, fillcolor=GRAY)


def blurred(radius: float) -> Image.Image:
    """Return the portrait out of focus."""
    return astronaut().filter(ImageFilter.GaussianBlur(radius))


def twice() -> Image.Image:
    """Return a frame with two faces: at the left the portrait, at the right its mirror image at two thirds of the size."""
    frame = Image.new("RGB", (1024, 512), GRAY)
    frame.paste(astronaut(), (0, 0))
    frame.paste(astronaut().transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((341, 341), Image.Resampling.LANCZOS), (600, 100))
    return frame
