"""Transfer a library to another owner: videos, people, faces and vectors with their files, but not what the old owner searched for."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Sum

from heimdex.accounts.models import User
from heimdex.errors import Refused, WrongState
from people.models import PeopleRefreshRequest, Person, PersonPhoto, SceneFace
from people.refresh import request_refresh
from reprocess.models import ReprocessItem
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.transfer.files import copy_files, delete_left_files
from reprocess.transfer.rows import IS_COMPLETE, lock_library, merge_spaces, merge_tags, move_rows, rename_collections, rename_people
from videos.models import Video

log = structlog.get_logger(__name__)

SAME_OWNER = "Both are the same account. Choose another account to transfer the library to."
TARGET_LOCKED = "The account {email} is locked. Unlock it, or choose another one."
PROCESSING = "{count} videos are being processed. Wait until they are indexed, or delete them."
PHOTOS = "{count} photos of people are being processed. Wait a minute."
RUNNING = "A run is working on {count} parts of this library. Wait until it ends, or cancel it."
REFRESHING = "The people of this library are being updated. Wait a minute; if it takes longer, start the workers."
FACES_OFF = (
    "Face recognition is off for {target}, but this library has people or faces. Turn it on (manage.py faces on --owner {target}), "
    "or erase them first (manage.py faces erase --owner {source})."
)


@dataclass(frozen=True)
class TransferPlan:
    """What a transfer would move, what would stay, and why it cannot start now (sentences)."""

    source: str
    target: str
    videos: int
    size_bytes: int
    people: int
    photos: int
    unfinished_uploads: int
    obstacles: tuple[str, ...]


@dataclass(frozen=True)
class TransferReport:
    """What a transfer has moved. The run brings the vectors of the target to the latest spec."""

    videos: int
    people: int
    photos: int
    renamed_people: int
    copied_files: int
    run_id: UUID


def plan_transfer(source: User, target: User) -> TransferPlan:
    """Return what a transfer would move, and what stands in its way."""
    videos = Video.objects.filter(owner=source)
    complete = videos.filter(IS_COMPLETE)
    photos = PersonPhoto.objects.filter(owner=source)
    return TransferPlan(
        source=source.email,
        target=target.email,
        videos=complete.count(),
        size_bytes=complete.aggregate(total=Sum("size_bytes"))["total"] or 0,
        people=Person.objects.filter(owner=source).count(),
        photos=photos.exclude(state=PersonPhoto.State.UPLOADING).count(),
        unfinished_uploads=videos.exclude(IS_COMPLETE).count(),
        obstacles=tuple(_find_obstacles(source, target)),
    )


def transfer_library(source: User, target: User, *, entry_point: str, requested_by: User | None) -> TransferReport:
    """Move the library, all rows in one transaction. Call it outside transactions.

    Files are copied before the transaction and deleted after it, so that every committed row has its files. A call after an interruption
    continues. Raise Refused when both are the same account, WrongState with all obstacles, and StorageError.
    """
    if source.pk == target.pk:
        raise Refused(SAME_OWNER)
    _refuse_obstacles(plan_transfer(source, target))
    copied = copy_files(source.pk, target.pk)
    with transaction.atomic():
        lock_library(source.pk, target.pk)
        plan = plan_transfer(source, target)
        _refuse_obstacles(plan)
        # What has changed since; under the locks it is little.
        copied += copy_files(source.pk, target.pk)
        renamed = rename_people(source.pk, target.pk)
        merge_tags(source.pk, target.pk)
        rename_collections(source.pk, target.pk)
        move_rows(source.pk, target.pk)
        merge_spaces(source.pk, target.pk)
        request_refresh(target.pk)
        run = start_run(Scope("owner", owner_id=target.pk), force=False, entry_point=entry_point, requested_by=requested_by)
    delete_left_files(source.pk, target.pk)
    log.info("Library transferred", source_id=str(source.pk), target_id=str(target.pk), videos=plan.videos, people=plan.people)
    return TransferReport(plan.videos, plan.people, plan.photos, renamed, copied, run.pk)


def _refuse_obstacles(plan: TransferPlan) -> None:
    if plan.obstacles:
        raise WrongState(" ".join(plan.obstacles))


def _find_obstacles(source: User, target: User) -> Iterator[str]:
    if not User.objects.filter(pk=target.pk, is_active=True).exists():
        yield TARGET_LOCKED.format(email=target.email)
    counts = {
        PROCESSING: Video.objects.filter(owner=source, state__in=Video.PROCESSING_STATES).count(),
        PHOTOS: PersonPhoto.objects.filter(owner=source, state__in=PersonPhoto.IN_PROGRESS).count(),
        RUNNING: ReprocessItem.objects.filter(owner=source, state=ReprocessItem.State.RUNNING).count(),
    }
    yield from (text.format(count=count) for text, count in counts.items() if count)
    if PeopleRefreshRequest.objects.filter(owner=source).exists():
        yield REFRESHING
    has_faces = any(model._default_manager.filter(owner=source).exists() for model in (Person, SceneFace))
    if has_faces and not User.objects.filter(pk=target.pk, find_faces=True).exists():
        yield FACES_OFF.format(source=source.email, target=target.email)
