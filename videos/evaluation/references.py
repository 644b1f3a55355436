"""Find the scenes that a file of judgments refers to.

A reference is a scene's id; `VIDEO#INDEX` with the index of the scene, from 0 as in the API; or `VIDEO@SECONDS` with a time in the scene.
VIDEO is a video's id, title or file name. Where a query names its video, `INDEX` or `@SECONDS` suffices.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from videos.evaluation.judgments import JudgedQuery
from videos.evaluation.text_files import FileProblem, InvalidFile
from videos.models import Scene, Video


@dataclass(frozen=True)
class LibraryScene:
    """A scene with its place in its video, in seconds."""

    id: UUID
    video_id: UUID
    index: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class ResolvedQuery:
    """A judged query with the grades of the library's scenes, and the video in which it was asked."""

    judged: JudgedQuery
    grades: Mapping[UUID, int]
    video_id: UUID | None


class _ReferenceError(Exception):
    """A reference names no scene of the library."""


class _Library:
    """The indexed videos of an owner by name, and their scenes, which are read when a reference needs them."""

    def __init__(self, owner_id: UUID, references: Iterable[str]) -> None:
        scene_ids = {UUID(reference) for reference in references if is_uuid(reference)}
        self._scene_ids = set(Scene.objects.filter_searchable(owner_id).filter(pk__in=scene_ids).values_list("pk", flat=True))
        self._videos: dict[str, set[UUID]] = defaultdict(set)
        self._scenes: dict[UUID, list[LibraryScene]] = {}
        for video_id, title, filename in Video.objects.filter(owner_id=owner_id, state=Video.State.INDEXED).values_list(
            "pk", "title", "filename"
        ):
            for name in (str(video_id), title, filename):
                self._videos[name].add(video_id)

    def get_video(self, name: str) -> UUID:
        """Return the video of this name."""
        ids = self._videos.get(name.lower() if is_uuid(name) else name, set())
        if not ids:
            raise _ReferenceError(f"There is no indexed video “{name}”. Write its title, its file name or its id.")
        if len(ids) > 1:
            raise _ReferenceError(
                f"{len(ids)} videos are called “{name}”. Write the id of one of them: {', '.join(sorted(map(str, ids)))}."
            )
        return next(iter(ids))

    def get_scene(self, reference: str, video_id: UUID | None) -> UUID:
        """Return the scene of a reference, in a video if the reference names none."""
        if is_uuid(reference):
            scene_id = UUID(reference)
            if scene_id not in self._scene_ids:
                raise _ReferenceError(f"There is no scene {reference} in this library.")
            return scene_id
        name, separator, place = _split(reference)
        if name or video_id is None:
            video_id = self.get_video(name or reference)
        scene = _find_scene(self._list_scenes(video_id), separator, place)
        if scene is None:
            raise _ReferenceError(f"{reference!r} is no scene. Write VIDEO#INDEX (from 0), VIDEO@SECONDS or a scene's id.")
        return scene.id

    def _list_scenes(self, video_id: UUID) -> list[LibraryScene]:
        if video_id not in self._scenes:
            rows = Scene.objects.filter(video_id=video_id).order_by("index").values_list("pk", "video_id", "index", "start_s", "end_s")
            self._scenes[video_id] = [LibraryScene(*row) for row in rows]
        return self._scenes[video_id]


def resolve_queries(path: Path, owner_id: UUID, queries: Sequence[JudgedQuery]) -> list[ResolvedQuery]:
    """Find the scenes of judged queries in an owner's library. Raise InvalidFile with all lines whose references it lacks."""
    library = _Library(owner_id, (reference for query in queries for reference in query.grades))
    problems: list[FileProblem] = []
    resolved: list[ResolvedQuery] = []
    for query in queries:
        try:
            video_id = library.get_video(query.video) if query.video else None
        except _ReferenceError as error:
            problems.append(FileProblem(query.line, str(error)))
            continue
        grades: dict[UUID, int] = {}
        for reference, grade in query.grades.items():
            try:
                scene_id = library.get_scene(reference, video_id)
                # Two times may lie in one scene. It has the better grade.
                grades[scene_id] = max(grade, grades.get(scene_id, grade))
            except _ReferenceError as error:
                problems.append(FileProblem(query.lines.get(reference, query.line), str(error)))
        resolved.append(ResolvedQuery(query, grades, video_id))
    if problems:
        raise InvalidFile(path, problems)
    return resolved


def is_uuid(text: str) -> bool:
    """Return whether a text is an id. Pure."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _split(reference: str) -> tuple[str, str, str]:
    """Return the video's name, `#` or `@`, and the place. A number alone is an index."""
    if reference.isascii() and reference.isdecimal():
        return "", "#", reference
    place = max(reference.rfind("#"), reference.rfind("@"))
    return (reference[:place], reference[place], reference[place + 1 :]) if place >= 0 else (reference, "", "")


def _find_scene(scenes: Sequence[LibraryScene], separator: str, place: str) -> LibraryScene | None:
    """Return the scene with an index, or at a time; of two that meet at this time, the later one. Pure."""
    try:
        number = float(place)
    except ValueError:
        return None
    if separator == "#":
        return next((scene for scene in scenes if str(scene.index) == place), None)
    if separator == "@" and math.isfinite(number):
        at_time = [scene for scene in scenes if scene.start_s <= number <= scene.end_s]
        return at_time[-1] if at_time else None
    return None
