"""Pair videos with their stored files, and decide which files are orphans or missing.

Rows and listing are read as two streams in the order of their keys, so memory does not grow with the library.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from heimdex.storage import StoredFile, get_media_storage
from videos.models import Scene, Video
from videos.storage_keys import VideoFileKey, get_owner_prefix, parse_key

_BATCH_VIDEOS = 50
_BATCH_FILES = 5000

# In the other states a client or a worker writes files before their rows.
SETTLED = (Video.State.INDEXED, Video.State.FAILED)


@dataclass(frozen=True)
class StoredVideoFile:
    """A stored file, and the parts of its key."""

    stored: StoredFile
    parts: VideoFileKey


@dataclass(frozen=True)
class VideoFiles:
    """A video's row and its files. `video` is None without a row; `files` is empty without files."""

    owner_id: UUID
    video_id: UUID
    video: Video | None
    files: tuple[StoredVideoFile, ...]

    @property
    def prefix(self) -> str:
        """The key prefix of these files, and of no others."""
        return f"{get_owner_prefix(self.owner_id)}/videos/{self.video_id}"


def pair_videos_with_files(owner_id: UUID | None, on_other: Callable[[StoredFile], None]) -> Iterator[VideoFiles]:
    """Yield every video that has a row or files, in the order of owner and id. Pass files that belong to no video to `on_other`."""
    videos = Video.objects.only("id", "owner_id", "state", "title", "updated_at").order_by("owner_id", "pk")
    if owner_id:
        videos = videos.filter(owner_id=owner_id)
    rows = (((video.owner_id, video.pk), video) for video in videos.iterator(chunk_size=500))
    for key, video, files in _merge(rows, _group_files(owner_id, on_other)):
        yield VideoFiles(*key, video, files)


def batch_videos(videos: Iterator[VideoFiles]) -> Iterator[list[VideoFiles]]:
    """Yield batches that are limited in videos and in files, so that long videos take no more memory than short ones."""
    batch: list[VideoFiles] = []
    file_count = 0
    for video in videos:
        batch.append(video)
        file_count += len(video.files)
        if len(batch) == _BATCH_VIDEOS or file_count >= _BATCH_FILES:
            yield batch
            batch, file_count = [], 0
    if batch:
        yield batch


def find_orphans(
    video_files: VideoFiles, scene_ids: Collection[UUID], face_ids: Collection[UUID], stored_before: datetime
) -> list[StoredFile]:
    """Return the files of a settled video that belong to no scene or face, and uploads stored after the upload was completed. Pure.

    Files stored after `stored_before` may belong to work in progress and are left out, as are files with other names.
    """
    orphans = []
    for file in video_files.files:
        if file.parts.face_id:
            is_orphan = file.parts.face_id not in face_ids
        elif file.parts.scene_id:
            is_orphan = file.parts.scene_id not in scene_ids
        else:
            is_orphan = file.parts.name == "upload"
        if is_orphan and file.stored.stored_at < stored_before:
            orphans.append(file.stored)
    return orphans


def find_missing_images(scenes: Collection[Scene], keys: Collection[str]) -> list[str]:
    """Return the keys of an indexed video's keyframes and thumbnails that are not in `keys`. Pure."""
    return [key for scene in scenes for pair in scene.image_keys for key in pair if key not in keys]


_Key = tuple[UUID, UUID]
_Files = tuple[StoredVideoFile, ...]


def _group_files(owner_id: UUID | None, on_other: Callable[[StoredFile], None]) -> Iterator[tuple[_Key, _Files]]:
    for key, files in groupby(_parse_files(owner_id, on_other), key=lambda file: (file.parts.owner_id, file.parts.video_id)):
        yield key, tuple(files)


def _parse_files(owner_id: UUID | None, on_other: Callable[[StoredFile], None]) -> Iterator[StoredVideoFile]:
    for stored in get_media_storage().list_files(get_owner_prefix(owner_id)):
        parts = parse_key(stored.key)
        if parts:
            yield StoredVideoFile(stored, parts)
        else:
            on_other(stored)


def _merge(rows: Iterator[tuple[_Key, Video]], groups: Iterator[tuple[_Key, _Files]]) -> Iterator[tuple[_Key, Video | None, _Files]]:
    """Merge two streams of ascending keys."""
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
