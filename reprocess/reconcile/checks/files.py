"""Stored files without rows, and videos without files."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.storage import StoredFile, get_media_storage
from people.models import SceneFace
from reprocess.reconcile.base import Check, Finding, IssueType
from reprocess.reconcile.photo_files import PhotoFileScan
from reprocess.reconcile.video_files import SETTLED, VideoFiles, batch_videos, find_missing_images, find_orphans, pair_videos_with_files
from videos.ingest.schedule import start_ingest
from videos.models import Scene, Video

ORPHANS = IssueType(
    "orphan_files",
    "files belong to no video, scene or face",
    "deletes them",
    "This database has no videos. Make sure that database and storage belong together before you delete anything.",
)
PHOTO_ORPHANS = IssueType(
    "orphan_photos",
    "files belong to no person's photo",
    "deletes them",
    "This database has no people. Make sure that database and storage belong together before you delete anything.",
)
MISPLACED = IssueType(
    "misplaced_files",
    "files are stored under another owner or person than their video or photo has",
    "",
    "Decide who owns the video or photo. Move the files under that owner's prefix, or delete them.",
)
ORIGINALS = IssueType(
    "missing_originals",
    "indexed videos have no uploaded file",
    "",
    "Restore the file from a backup, or delete the video and upload it again.",
)
IMAGES = IssueType(
    "missing_pictures",
    "images of scenes are missing from the storage",
    "processes their videos again (search does not find them meanwhile)",
    "The uploaded file is missing too. Restore it from a backup, or delete the video and upload it again.",
)
UNKNOWN = IssueType(
    "unknown_files",
    "files have keys that Heimdex does not use",
    "",
    "Find out where they come from, and move or delete them.",
)


@dataclass
class UnknownFiles:
    """Files whose keys Heimdex does not use: how many, and the first key."""

    count: int = 0
    first: str = ""

    def add(self, file: StoredFile) -> None:
        """Count a file."""
        self.count += 1
        self.first = self.first or file.key


class Files(Check):
    """One pass over the listing and the videos, with four SQL statements per 50 videos, and one per 1,000 files of photos."""

    order = 50
    issue_types = (ORPHANS, PHOTO_ORPHANS, MISPLACED, ORIGINALS, IMAGES, UNKNOWN)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        began = timezone.now()
        # A younger file may belong to an upload whose row was created after this pass began. Upload URLs expire after this time.
        stored_before = began - timedelta(seconds=settings.UPLOAD_TTL_SECONDS)
        unknown = UnknownFiles()
        photos = PhotoFileScan(stored_before, unknown.add)
        for batch in batch_videos(pair_videos_with_files(owner_id, photos.add)):
            yield from _find_unwanted_photos(photos)
            yield from _find_without_row([files for files in batch if files.video is None], stored_before)
            yield from _find_in_videos([files for files in batch if files.video], began, stored_before)
        photos.flush()
        yield from _find_unwanted_photos(photos)
        if unknown.count:
            yield Finding(UNKNOWN, unknown.count, unknown.first)


def _find_unwanted_photos(photos: PhotoFileScan) -> Iterator[Finding]:
    for unwanted in photos.pop_unwanted():
        issue_type, repair = (MISPLACED, None) if unwanted.misplaced else (PHOTO_ORPHANS, unwanted.delete)
        yield Finding(issue_type, len(unwanted.keys), unwanted.keys[0], repair)


def _find_without_row(without_row: Sequence[VideoFiles], stored_before: datetime) -> Iterator[Finding]:
    """Yield the files of videos without a row, and the files of videos of another owner."""
    old = [files for files in without_row if all(file.stored.stored_at < stored_before for file in files.files)]
    if not old:
        return
    owners = _load_owners(old)
    for files in old:
        if files.video_id in owners:
            if owners[files.video_id] != files.owner_id:
                yield Finding(MISPLACED, len(files.files), files.prefix)
            continue
        yield Finding(ORPHANS, len(files.files), files.prefix, partial(_delete_all, files))


def _find_in_videos(batch: Sequence[VideoFiles], began: datetime, stored_before: datetime) -> Iterator[Finding]:
    # The next pass checks videos that have changed since this pass began.
    settled = {files.video_id: files for files in batch if files.video and files.video.state in SETTLED and files.video.updated_at < began}
    scenes: dict[UUID, list[Scene]] = {}
    for scene in Scene.objects.filter(video__in=settled).only("id", "video_id", "owner_id", "keyframe_hash", "other_keyframes_s"):
        # The files are stored under the video's owner. Another owner in the scene is an issue of its own.
        scene.owner_id = settled[scene.video_id].owner_id
        scenes.setdefault(scene.video_id, []).append(scene)
    stored_faces = {file.parts.face_id for files in settled.values() for file in files.files if file.parts.face_id}
    faces = set(SceneFace.objects.filter(pk__in=stored_faces).values_list("pk", flat=True)) if stored_faces else set()
    unchanged = set(Video.objects.filter(pk__in=settled, state__in=SETTLED, updated_at__lt=began).values_list("pk", flat=True))
    for video_id, files in settled.items():
        if video_id not in unchanged:
            continue
        assert files.video
        video_scenes = scenes.get(video_id, [])
        if orphans := find_orphans(files, {scene.pk for scene in video_scenes}, faces, stored_before):
            keys = [file.key for file in orphans]
            yield Finding(ORPHANS, len(keys), keys[0], partial(_delete_keys, video_id, keys, began))
        if files.video.state == Video.State.INDEXED:
            yield from _find_missing(files.video, video_scenes, {file.stored.key for file in files.files}, began)


def _find_missing(video: Video, scenes: Sequence[Scene], keys: Collection[str], began: datetime) -> Iterator[Finding]:
    has_original = video.original_key in keys
    if not has_original:
        yield Finding(ORIGINALS, 1, f"“{video.title}”: {video.original_key}")
    if images := find_missing_images(scenes, keys):
        repair = partial(_process_again, video.pk, len(images), began) if has_original else None
        yield Finding(IMAGES, len(images), f"“{video.title}”: {images[0]}", repair)


def _load_owners(batch: Sequence[VideoFiles]) -> dict[UUID, UUID]:
    return dict(Video.objects.filter(pk__in=[files.video_id for files in batch]).values_list("pk", "owner_id"))


def _delete_all(files: VideoFiles) -> int:
    """Delete the files of a video without a row. Delete nothing when the database has no videos, because it may be the wrong one."""
    if _load_owners([files]) or not Video.objects.exists():
        return 0
    get_media_storage().delete_prefix(files.prefix)
    return len(files.files)


def _delete_keys(video_id: UUID, keys: Sequence[str], began: datetime) -> int:
    """Delete files of a video. Its row is locked, so that no retry writes them at the same time."""
    with transaction.atomic():
        if not Video.objects.select_for_update().filter(pk=video_id, state__in=SETTLED, updated_at__lt=began).first():
            return 0
        for key in keys:
            get_media_storage().delete(key)
    return len(keys)


def _process_again(video_id: UUID, images: int, began: datetime) -> int:
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(pk=video_id, state=Video.State.INDEXED, updated_at__lt=began).first()
        if video is None:
            return 0
        video.state = Video.State.VALIDATING
        video.updated_at = timezone.now()
        video.save(update_fields=["state", "updated_at"])
        start_ingest(video)
    return images


CHECK = Files()
