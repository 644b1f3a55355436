"""Files without rows, and rows without files."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.storage import StoredFile, media_storage
from people.models import SceneFace
from reprocess.reconcile.base import Check, Finding, Kind
from reprocess.reconcile.file_pairs import Pair, batches, pairs
from reprocess.reconcile.file_rules import SETTLED, absent_pictures, without_row
from reprocess.reconcile.photo_files import PhotoFiles
from videos.ingest.schedule import start_ingest
from videos.models import Scene, Video

ORPHANS = Kind(
    "orphan_files",
    "files belong to no video, scene or face",
    "deletes them",
    "No video has a row in this database: make sure that it and the storage belong together before you delete anything.",
)
PHOTO_ORPHANS = Kind(
    "orphan_photos",
    "files belong to no person's photo",
    "deletes them",
    "No person has a row in this database: make sure that it and the storage belong together before you delete anything.",
)
MISPLACED = Kind(
    "misplaced_files",
    "files lie under another owner or person than their video or photo has",
    "",
    "Decide whose the video or photo is; move the files under its owner's prefix or delete them.",
)
MISSING = Kind(
    "missing_originals",
    "indexed videos have lost the file that was uploaded",
    "",
    "Bring the file back from a backup, or delete the video and upload it again.",
)
PICTURES = Kind(
    "missing_pictures",
    "pictures of scenes are gone from the storage",
    "processes their videos anew (search does not find them meanwhile)",
    "Without the uploaded file they cannot be made again: bring it back from a backup, or delete the video and upload it again.",
)
UNKNOWN = Kind(
    "unknown_files",
    "files lie under keys that Heimdex does not make",
    "",
    "Find out who put them there, and move or delete them.",
)


@dataclass
class Unknown:
    """Files that nothing of ours can have: how many, and the first."""

    count: int = 0
    first: str = ""

    def add(self, file: StoredFile) -> None:
        """Count a file."""
        self.count += 1
        self.first = self.first or file.key


class Files(Check):
    """One pass over the listing beside one over the videos; four statements for each 50 videos, and one for each 1,000 files of photos."""

    order = 50
    kinds = (ORPHANS, PHOTO_ORPHANS, MISPLACED, MISSING, PICTURES, UNKNOWN)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        began = timezone.now()
        # An address to PUT to lives so long: what is younger may be an upload whose row this pass has not seen.
        stored_before = began - timedelta(seconds=settings.UPLOAD_TTL_SECONDS)
        unknown = Unknown()
        photos = PhotoFiles(stored_before, unknown.add)
        for batch in batches(pairs(owner_id, photos.add)):
            yield from _of_photos(photos)
            yield from _of_rowless([pair for pair in batch if pair.video is None], stored_before)
            yield from _of_videos([pair for pair in batch if pair.video], began, stored_before)
        photos.look()
        yield from _of_photos(photos)
        if unknown.count:
            yield Finding(UNKNOWN, unknown.count, unknown.first)


def _of_photos(photos: PhotoFiles) -> Iterator[Finding]:
    for unwanted in photos.take():
        kind, repair = (MISPLACED, None) if unwanted.misplaced else (PHOTO_ORPHANS, unwanted.delete)
        yield Finding(kind, len(unwanted.keys), unwanted.keys[0], repair)


def _of_rowless(rowless: Sequence[Pair], stored_before: datetime) -> Iterator[Finding]:
    """Yield files of videos that no owner has, and those of videos that another owner has."""
    old = [pair for pair in rowless if all(file.stored.stored_at < stored_before for file in pair.files)]
    if not old:
        return
    existing = _existing(old)
    for pair in old:
        if pair.video_id in existing:
            if existing[pair.video_id] != pair.owner_id:
                yield Finding(MISPLACED, len(pair.files), pair.prefix)
            continue
        yield Finding(ORPHANS, len(pair.files), pair.prefix, partial(_delete_all, pair))


def _of_videos(found: Sequence[Pair], began: datetime, stored_before: datetime) -> Iterator[Finding]:
    # What changed since the pass began is looked at by the next one.
    settled = {pair.video_id: pair for pair in found if pair.video and pair.video.state in SETTLED and pair.video.updated_at < began}
    scenes: dict[UUID, list[Scene]] = {}
    for scene in Scene.objects.filter(video__in=settled).only("id", "video_id", "owner_id", "clip_hash", "other_keyframes_s"):
        # The files lie where the video's owner says; that a scene says another is a finding of its own.
        scene.owner_id = settled[scene.video_id].owner_id
        scenes.setdefault(scene.video_id, []).append(scene)
    of_faces = {file.name.face_id for pair in settled.values() for file in pair.files if file.name.face_id}
    faces = set(SceneFace.objects.filter(pk__in=of_faces).values_list("pk", flat=True)) if of_faces else set()
    unchanged = set(Video.objects.filter(pk__in=settled, state__in=SETTLED, updated_at__lt=began).values_list("pk", flat=True))
    for video_id, pair in settled.items():
        if video_id not in unchanged:
            continue
        assert pair.video
        own = scenes.get(video_id, [])
        if orphans := without_row(pair, {scene.pk for scene in own}, faces, stored_before):
            keys = [file.key for file in orphans]
            yield Finding(ORPHANS, len(keys), keys[0], partial(_delete_keys, video_id, keys, began))
        if pair.video.state == Video.State.INDEXED:
            yield from _absent(pair.video, own, {file.stored.key for file in pair.files}, began)


def _absent(video: Video, scenes: Sequence[Scene], keys: Collection[str], began: datetime) -> Iterator[Finding]:
    has_original = video.original_key in keys
    if not has_original:
        yield Finding(MISSING, 1, f"“{video.title}”: {video.original_key}")
    if pictures := absent_pictures(scenes, keys):
        repair = partial(_process_anew, video.pk, len(pictures), began) if has_original else None
        yield Finding(PICTURES, len(pictures), f"“{video.title}”: {pictures[0]}", repair)


def _existing(wanted: Sequence[Pair]) -> dict[UUID, UUID]:
    return dict(Video.objects.filter(pk__in=[pair.video_id for pair in wanted]).values_list("pk", "owner_id"))


def _delete_all(pair: Pair) -> int:
    """Delete the files of a video that has no row; nothing when it has one, or when no video has: this may be the wrong database."""
    if _existing([pair]) or not Video.objects.exists():
        return 0
    media_storage().delete_prefix(pair.prefix)
    return len(pair.files)


def _delete_keys(video_id: UUID, keys: Sequence[str], began: datetime) -> int:
    """Delete files of a video whose row is locked meanwhile, so that no retry begins to write them anew."""
    with transaction.atomic():
        if not Video.objects.select_for_update().filter(pk=video_id, state__in=SETTLED, updated_at__lt=began).first():
            return 0
        for key in keys:
            media_storage().delete(key)
    return len(keys)


def _process_anew(video_id: UUID, pictures: int, began: datetime) -> int:
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(pk=video_id, state=Video.State.INDEXED, updated_at__lt=began).first()
        if video is None:
            return 0
        video.state = Video.State.VALIDATING
        video.updated_at = timezone.now()
        video.save(update_fields=["state", "updated_at"])
        start_ingest(video)
    return pictures


CHECK = Files()
