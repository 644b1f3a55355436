"""The judged sets of search: films as scenes with what is said and shown, and queries with the scenes that each should find.

They are in the folder that HEIMDEX_QUALITY_SETS names, or in `../shared/quality` beside the checkout. Its README describes the files.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.benchmark import BenchmarkUnavailable
from heimdex.environment import CHECKOUT, QUALITY_SETS

LANGUAGES = ("en", "de", "es", "zh", "ja", "ko")
# A scene of B is named by its reel and its place.
SceneKey = tuple[str, int]


@dataclass(frozen=True)
class FilmScene:
    """A scene in seconds, the words that are spoken from `speech_s[0]` to `speech_s[1]`, and the scene of a reel whose image it shows."""

    start_s: float
    end_s: float
    text: str = ""
    speech_s: tuple[float, float] = (0.0, 0.0)
    shows: SceneKey | None = None


@dataclass(frozen=True)
class Film:
    """A film to load into a library. Titles are unique within a library."""

    title: str
    scenes: tuple[FilmScene, ...]
    language: str = "en"


@dataclass(frozen=True)
class SetQuery:
    """A query with the grades of scenes by film and place. `film` is the film in which it was asked, if any."""

    text: str
    query_class: str
    grades: Mapping[SceneKey, int]
    film: str = ""


@dataclass(frozen=True)
class JudgedSet:
    """Films, and queries about them."""

    name: str
    films: tuple[Film, ...]
    queries: tuple[SetQuery, ...]


@dataclass(frozen=True)
class UnanswerableQuery:
    """A query that no scene of a library (`A` or `B`) answers. `kind` is `far` or `near`."""

    text: str
    library: str
    kind: str


def find_folder() -> Path:
    """Return the folder of judged sets. Raise BenchmarkUnavailable when there is none."""
    folder = Path(os.environ.get(QUALITY_SETS) or CHECKOUT.parent / "shared" / "quality").expanduser()
    if not (folder / "A_queries.jsonl").is_file():
        raise BenchmarkUnavailable(f"There are no judged sets in {folder}. Set {QUALITY_SETS} to the folder with A_queries.jsonl.")
    return folder


def load_meetings(folder: Path) -> JudgedSet:
    """Load set A: meetings as scenes of speech."""
    films = tuple(
        Film(row["meeting"], tuple(FilmScene(start, end, text, (start, end)) for start, end, text in row["scenes"]))
        for row in _read(folder, "A_meetings.jsonl")
    )
    queries = tuple(
        SetQuery(
            row["query"], row["kind"], {(row["meeting"], int(place)): grade for place, grade in row["relevant"].items()}, row["meeting"]
        )
        for row in _read(folder, "A_queries.jsonl")
    )
    return JudgedSet("A", films, queries)


def load_reels(folder: Path) -> JudgedSet:
    """Load set B: reels of images without speech."""
    films = tuple(
        Film(
            row["film"],
            tuple(FilmScene(item["start"], item["end"], shows=(row["film"], place)) for place, item in enumerate(row["items"])),
        )
        for row in _read(folder, "B_reels.jsonl")
    )
    queries = tuple(
        SetQuery(row["query"], row["kind"], {_parse_reel_scene(name): grade for name, grade in row["relevant"].items()})
        for row in _read(folder, "B_queries.jsonl")
    )
    return JudgedSet("B", films, queries)


def load_mixed(folder: Path) -> JudgedSet:
    """Load set C: scenes with a spoken sentence and an image of a reel."""
    images = {item["file"]: (row["film"], place) for row in _read(folder, "B_reels.jsonl") for place, item in enumerate(row["items"])}
    rows = sorted(_read(folder, "C_scenes.jsonl"), key=lambda row: (row["film"], row["index"]))
    keys: dict[str, SceneKey] = {}
    films: dict[str, list[FilmScene]] = {}
    for row in rows:
        scenes = films.setdefault(row["film"], [])
        keys[row["scene"]] = row["film"], len(scenes)
        scenes.append(FilmScene(row["start"], row["end"], row["said"], (row["start"] + 7.0, row["start"] + 12.0), images[row["picture"]]))
    queries = tuple(
        SetQuery(row["query"], "mixed", {keys[scene]: grade for scene, grade in row["relevant"].items()})
        for row in _read(folder, "C_queries.jsonl")
    )
    return JudgedSet("C", tuple(Film(title, tuple(scenes)) for title, scenes in films.items()), queries)


def load_sentences(folder: Path, spoken: str, asked: str) -> JudgedSet:
    """Load set D: sentences in one language, and queries in the same or another language."""
    rows = list(_read(folder, "D_sentences.jsonl"))
    title = f"film in {spoken}"
    scenes = tuple(
        FilmScene(20.0 * place, 20.0 * place + 20, row[spoken]["scene"], (20.0 * place + 7, 20.0 * place + 12))
        for place, row in enumerate(rows)
    )
    queries = tuple(SetQuery(row[asked]["query"], asked, {(title, place): 1}) for place, row in enumerate(rows))
    return JudgedSet(f"D {asked}", (Film(title, scenes, spoken),), queries)


def load_unanswerable(folder: Path) -> list[UnanswerableQuery]:
    """Load set E: queries that nothing fits."""
    return [UnanswerableQuery(row["query"], row["library"], row["kind"]) for row in _read(folder, "E_nothing_fits.jsonl")]


def _read(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    try:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BenchmarkUnavailable(f"The judged set {folder / name} cannot be read: {error.strerror}.") from error
    for line in lines:
        yield json.loads(line)


def _parse_reel_scene(name: str) -> SceneKey:
    film, _, place = name.rpartition("#")
    return film, int(place)
