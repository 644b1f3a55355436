"""F1: whether the default face model tells persons apart, on photos that packages carry, and how fast each detector is."""

from collections.abc import Iterator, Mapping
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from bench.benchmark import Goal, Group
from bench.face_pairs import Pairs, Seen, fitted, pairs
from bench.face_pictures import Photo, photos

if TYPE_CHECKING:
    from PIL.Image import Image

    from heimdex.faces.base import FaceModel

FRAME = (1280, 720)
# A scene has up to three keyframes.
KEYFRAMES = 3
TIMES = 5


def rounds() -> Iterator[Mapping[str, float]]:
    """Yield one round, since nothing in it is random: the recall of the default model at which it takes no two persons for one."""
    from heimdex.faces.dlib import DlibFaces
    from heimdex.faces.packaged import YuNetSFace

    album = list(photos())
    default, dlib = YuNetSFace(), DlibFaces()
    measured = _measured("YuNet and SFace in 8 bit", default, album)
    _measured("dlib, hog", dlib, album)
    _show_speed(
        {"YuNet and SFace": default, "dlib, hog": dlib, "dlib, hog, upsample 2": DlibFaces(upsample=2), "dlib, cnn": DlibFaces("cnn", 0)}
    )
    yield {"F1": measured.recall_without_false_matches()}


def seen(model: "FaceModel", album: list[Photo]) -> list[Seen]:
    """Return the largest face of each photo that has one."""
    found = []
    for photo in album:
        faces = model.faces([photo.picture])[0]
        if faces:
            largest = max(faces, key=lambda face: face.side_px)
            found.append(Seen(photo.person, photo.take, largest.vector))
    return found


def _measured(name: str, model: "FaceModel", album: list[Photo]) -> Pairs:
    found = seen(model, album)
    measured = pairs(found)
    threshold = model.calibration.threshold
    middle, slope = fitted(measured)
    print(f"    {name}: a face in {len(found)} of {len(album)} photos of {len({face.person for face in found})} persons")
    print(
        f"      at {threshold}: {measured.recall(threshold):.3f} of {len(measured.same)} pairs of one person recognised, "
        f"{measured.false_matches(threshold)} of {len(measured.other)} pairs of two persons taken for one; "
        f"without any of these {measured.recall_without_false_matches():.3f} recognised"
    )
    print(
        f"      least of one person {measured.same.min():.4f}, most of two {measured.other.max():.4f}; "
        f"fitted curve: middle {middle:.4f}, slope {slope:.1f}; "
        f"at the threshold {model.calibration.probability(threshold):.2f}"
    )
    return measured


def _show_speed(models: Mapping[str, "FaceModel"]) -> None:
    frames = {"one face": _frame(1), "none": _frame(0)}
    for name, model in models.items():
        model.faces([frames["none"].resize((320, 180))])
        seconds = {what: _seconds(model, frame) for what, frame in frames.items()}
        spent = ", ".join(f"{what} {one:.2f} s" for what, one in seconds.items())
        per_face = max(1e-4, seconds["one face"] - seconds["none"])
        print(
            f"    {name}: 1280 × 720 with {spent}; {1 / seconds['one face']:.2f} faces/s found and embedded, "
            f"{per_face:.3f} s a face more, {1 / (KEYFRAMES * seconds['one face']):.2f} scenes/s of {KEYFRAMES} keyframes"
        )


def _seconds(model: "FaceModel", frame: "Image") -> float:
    times = []
    for _ in range(TIMES):
        began = perf_counter()
        model.faces([frame])
        times.append(perf_counter() - began)
        # A slow detector is measured well enough by one picture.
        if times[0] > TIMES:
            break
    return median(times)


def _frame(faces: int) -> "Image":
    """Return the picture of a frame of film: a face beside an espresso, or the espresso alone."""
    from PIL import Image

    from demo.film import ASSETS

    frame = Image.open(ASSETS / "coffee.jpg").convert("RGB").resize(FRAME)
    if faces:
        with Image.open(ASSETS / "astronaut.jpg") as astronaut:
            frame.paste(astronaut, (100, 100))
    return frame


GROUP = Group(
    (Goal("F1", "same persons recognised by the default face model, no two taken for one", "all pairs of one person", 0.9, unit=""),),
    rounds,
)
