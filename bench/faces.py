"""F1: how well the default face model distinguishes people, on photos from packages, and the speed of each detector."""

from collections.abc import Iterator, Mapping
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from bench.benchmark import Goal, Group
from bench.face_pairs import FaceSample, Pairs, compare_faces, fit_curve
from bench.face_photos import Photo, load_photos

if TYPE_CHECKING:
    from PIL.Image import Image

    from heimdex.faces.base import FaceModel

FRAME = (1280, 720)
# A scene has up to three keyframes.
KEYFRAMES = 3
TIMES = 5


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield one round, because nothing is random: the recall of the default model without a false match."""
    from heimdex.faces.dlib import DlibFaces
    from heimdex.faces.packaged import YuNetSFace

    album = list(load_photos())
    default, dlib = YuNetSFace(), DlibFaces()
    measured = _measure("YuNet and SFace in 8 bit", default, album)
    _measure("dlib, hog", dlib, album)
    _show_speed(
        {"YuNet and SFace": default, "dlib, hog": dlib, "dlib, hog, upsample 2": DlibFaces(upsample=2), "dlib, cnn": DlibFaces("cnn", 0)}
    )
    yield {"F1": measured.compute_clean_recall()}


def detect_faces(model: "FaceModel", album: list[Photo]) -> list[FaceSample]:
    """Return the largest face of each photo with a face."""
    samples = []
    for photo in album:
        faces = model.find_faces([photo.image])[0]
        if faces:
            largest = max(faces, key=lambda face: face.side_px)
            samples.append(FaceSample(photo.person, photo.take, largest.vector))
    return samples


def _measure(name: str, model: "FaceModel", album: list[Photo]) -> Pairs:
    samples = detect_faces(model, album)
    measured = compare_faces(samples)
    threshold = model.calibration.threshold
    middle, slope = fit_curve(measured)
    print(f"    {name}: a face in {len(samples)} of {len(album)} photos of {len({face.person for face in samples})} people")
    print(
        f"      at {threshold}: {measured.compute_recall(threshold):.3f} of {len(measured.same)} same-person pairs recognized, "
        f"{measured.count_false_matches(threshold)} of {len(measured.other)} pairs of two people matched; "
        f"without false matches {measured.compute_clean_recall():.3f} recognized"
    )
    print(
        f"      lowest of one person {measured.same.min():.4f}, highest of two people {measured.other.max():.4f}; "
        f"fitted curve: middle {middle:.4f}, slope {slope:.1f}; "
        f"at the threshold {model.calibration.estimate_probability(threshold):.2f}"
    )
    return measured


def _show_speed(models: Mapping[str, "FaceModel"]) -> None:
    frames = {"one face": _build_frame(1), "none": _build_frame(0)}
    for name, model in models.items():
        model.find_faces([frames["none"].resize((320, 180))])
        seconds = {label: _time_detection(model, frame) for label, frame in frames.items()}
        spent = ", ".join(f"{label} {duration:.2f} s" for label, duration in seconds.items())
        per_face = max(1e-4, seconds["one face"] - seconds["none"])
        print(
            f"    {name}: 1280 × 720 with {spent}; {1 / seconds['one face']:.2f} faces/s found and embedded, "
            f"{per_face:.3f} s more per face, {1 / (KEYFRAMES * seconds['one face']):.2f} scenes/s of {KEYFRAMES} keyframes"
        )


def _time_detection(model: "FaceModel", frame: "Image") -> float:
    times = []
    for _ in range(TIMES):
        began = perf_counter()
        model.find_faces([frame])
        times.append(perf_counter() - began)
        # One image is enough for a slow detector.
        if times[0] > TIMES:
            break
    return median(times)


def _build_frame(faces: int) -> "Image":
    """Return a video frame of a cup of coffee, with a face beside it or without."""
    from PIL import Image

    from demo.film import ASSETS

    frame = Image.open(ASSETS / "coffee.jpg").convert("RGB").resize(FRAME)
    if faces:
        with Image.open(ASSETS / "astronaut.jpg") as astronaut:
            frame.paste(astronaut, (100, 100))
    return frame


GROUP = Group(
    (Goal("F1", "same persons recognized by the default face model without a false match", "all pairs of one person", 0.95, unit=""),),
    run_rounds,
)
