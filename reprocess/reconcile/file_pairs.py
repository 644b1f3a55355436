"""The storage's listing beside the videos' rows: two streams in the same order, never held whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from heimdex.storage import StoredFile, media_storage
from videos.file_names import FileName, owner_prefix, parse_key
from videos.models import Video

_MOST_VIDEOS = 50
_MANY_FILES = 5000


@dataclass(frozen=True)
class NamedFile:
    """A stored file and the parts of its key."""

    stored: StoredFile
    name: FileName


@dataclass(frozen=True)
class Pair:
    """A video's row and its files; without the row, or without files, one of the two is not there."""

    owner_id: UUID
    video_id: UUID
    video: Video | None
    files: tuple[NamedFile, ...]

    @property
    def prefix(self) -> str:
        """Return the prefix that these files share, and no other file has."""
        return f"{owner_prefix(self.owner_id)}/videos/{self.video_id}"


def pairs(owner_id: UUID | None, on_other: Callable[[StoredFile], None]) -> Iterator[Pair]:
    """Yield every video that has a row or files, in the order of owner and id; `on_other` gets what is no video's file."""
    videos = Video.objects.only("id", "owner_id", "state", "title", "updated_at").order_by("owner_id", "pk")
    if owner_id:
        videos = videos.filter(owner_id=owner_id)
    rows = (((video.owner_id, video.pk), video) for video in videos.iterator(chunk_size=500))
    for key, video, files in _merge(rows, _groups(owner_id, on_other)):
        yield Pair(*key, video, files)


def batches(found: Iterator[Pair]) -> Iterator[list[Pair]]:
    """Yield the pairs in lists of few videos and not many files, so that long videos take no more memory than short ones."""
    batch: list[Pair] = []
    files = 0
    for pair in found:
        batch.append(pair)
        files += len(pair.files)
        if len(batch) == _MOST_VIDEOS or files >= _MANY_FILES:
            yield batch
            batch, files = [], 0
    if batch:
        yield batch


Key = tuple[UUID, UUID]
_Files = tuple[NamedFile, ...]


def _groups(owner_id: UUID | None, on_other: Callable[[StoredFile], None]) -> Iterator[tuple[Key, _Files]]:
    for key, files in groupby(_named(owner_id, on_other), key=lambda file: (file.name.owner_id, file.name.video_id)):
        yield key, tuple(files)


def _named(owner_id: UUID | None, on_other: Callable[[StoredFile], None]) -> Iterator[NamedFile]:
    for stored in media_storage().files(owner_prefix(owner_id)):
        name = parse_key(stored.key)
        if name:
            yield NamedFile(stored, name)
        else:
            on_other(stored)


def _merge(rows: Iterator[tuple[Key, Video]], groups: Iterator[tuple[Key, _Files]]) -> Iterator[tuple[Key, Video | None, _Files]]:
    """Walk two streams of ascending keys side by side."""
    row, group = next(rows, None), next(groups, None)
    while row or group:
        if row and group and row[0] == group[0]:
            yield row[0], row[1], group[1]
            row, group = next(rows, None), next(groups, None)
        elif row and (group is None or row[0] < group[0]):
            yield row[0], row[1], ()
            row = next(rows, None)
        elif group:
            yield group[0], None, group[1]
            group = next(groups, None)
