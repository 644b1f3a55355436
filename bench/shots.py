"""Moving shots rendered from photographs: a camera that drifts, pans, shakes and zooms, and objects that pass in front of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Motion = Literal["still", "drift", "handheld", "pan", "whip", "zoom", "jolts", "passing"]
CALM: tuple[Motion, ...] = ("still", "drift", "handheld")
LIVELY: tuple[Motion, ...] = ("pan", "whip", "zoom", "jolts", "passing")

# Photographs in the package scikit-image (licenses: skimage/data/README.txt).
_PHOTOGRAPHS = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "motorcycle_left.png",
    "rocket.jpg",
    "hubble_deep_field.jpg",
    "brick.png",
    "grass.png",
    "gravel.png",
    "coins.png",
    "ihc.png",
    "retina.jpg",
    "moon.png",
    "text.png",
)
_BLUR_STEPS = 4


@dataclass(frozen=True)
class Shot:
    """One take: an image, the camera's first position (as shares of the image), its motion, and the number of frames."""

    image: str
    x: float
    y: float
    width: float
    motion: Motion
    frames: int
    seed: int


def choose_shot(random: np.random.Generator, frames: int, motion: Motion, *, unlike: str = "") -> Shot:
    """Choose an image other than `unlike`, and a position on it."""
    names = [name for name in _PHOTOGRAPHS if name != unlike]
    width = float(random.uniform(0.45, 0.8))
    x, y = random.uniform(0, 1 - width, 2)
    return Shot(str(random.choice(names)), float(x), float(y), width, motion, frames, int(random.integers(1 << 30)))


def render_shot(shot: Shot, size: tuple[int, int], fps: float) -> Iterator[Frame]:
    """Yield the RGB frames of a take. `size` is (width, height)."""
    random = np.random.default_rng(shot.seed)
    image = _load_photograph(shot.image)
    path = _compute_camera_path(shot, fps, random)
    cover = random.integers(0, 256, 3)
    for index in range(shot.frames):
        moves = float(np.abs(path[min(index + 1, shot.frames - 1)] - path[index]).max())
        # The shutter is open for half a frame, which blurs fast motion.
        steps = _BLUR_STEPS if moves > 0.01 else 1
        ahead = path[min(index + 1, shot.frames - 1)] - path[index]
        views = [_render_view(image, path[index] + ahead * 0.5 * step / steps, size) for step in range(steps)]
        frame = np.mean(views, axis=0).astype(np.uint8) if steps > 1 else views[0]
        yield _add_passing_object(frame, cover, index / shot.frames) if shot.motion == "passing" else frame


def _load_photograph(name: str) -> Frame:
    import skimage.data
    from PIL import Image

    with Image.open(Path(skimage.data.__file__).parent / name) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _compute_camera_path(shot: Shot, fps: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Return x, y and width of the view as shares of the image, shape (frames, 3)."""
    moments = np.arange(shot.frames) / fps
    path = np.tile(np.array([shot.x, shot.y, shot.width]), (shot.frames, 1))
    heading = np.append(random.normal(0, 1, 2), 0.0)
    heading /= np.abs(heading).sum()
    match shot.motion:
        case "drift":
            path += np.outer(moments, heading * 0.03) + np.outer(moments, [0, 0, float(random.uniform(-0.015, 0.015))])
        case "handheld":
            waves = sum(np.outer(np.sin(moments * rate + phase), heading[::-1] if odd else heading) for odd, rate, phase in _WAVES)
            path[:, :2] += 0.008 * np.asarray(waves)[:, :2] + np.outer(moments, heading[:2] * 0.02)
        case "pan":
            path += np.outer(moments, heading * float(random.uniform(0.15, 0.5)))
        case "whip":
            begins = moments[-1] * float(random.uniform(0.3, 0.6))
            share = np.clip((moments - begins) / float(random.uniform(0.25, 0.5)), 0, 1)
            path += np.outer(share * share * (3 - 2 * share), heading * float(random.uniform(0.6, 1.4)))
        case "zoom":
            begins = moments[-1] * 0.4
            share = np.clip((moments - begins) / float(random.uniform(0.4, 1.2)), 0, 1)
            path += np.outer(share, np.array([0.2, 0.2, -0.4]) * shot.width)
        case "jolts":
            beats = (moments * 8).astype(int)
            jumps = random.normal(0, 0.03, (beats[-1] + 1, 2)) * (random.random((beats[-1] + 1, 1)) < 0.2)
            path[:, :2] += jumps[beats]
        case _:
            pass
    return path


_WAVES = ((False, 5.0, 0.3), (True, 8.3, 1.1), (False, 13.0, 2.0))


def _render_view(image: Frame, place: NDArray[np.float64], size: tuple[int, int]) -> Frame:
    import cv2

    height, width = image.shape[:2]
    x, y, across = place
    scale = max(0.05, float(across)) * min(width / size[0], height / size[1])
    transform = np.array([[scale, 0, x * width], [0, scale, y * height]], dtype=np.float64)
    flags = (cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, transform, size, flags=flags, borderMode=cv2.BORDER_REFLECT), dtype=np.uint8)


def _add_passing_object(frame: Frame, color: NDArray[np.int64], share: float) -> Frame:
    """Draw an object half as wide as the frame that passes in front of the camera four times per take."""
    height, width = frame.shape[:2]
    begins = int(((share * 4) % 1 * 3 - 1) * width)
    covered = frame.copy()
    covered[height // 8 :, max(0, begins) : max(0, min(width, begins + width // 2))] = color
    return covered
