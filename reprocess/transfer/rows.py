"""Give the rows of a library to another owner. All functions belong to the transaction that holds the locks of `lock_library`."""

from collections.abc import Iterable, Set
from datetime import datetime
from itertools import count
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from heimdex.accounts.owner import lock_owner
from people.locks import lock_people, lock_photos
from people.models import (
    FaceGroup,
    FaceLabel,
    FaceMatch,
    PeopleRefreshRequest,
    Person,
    PersonInput,
    PersonPhoto,
    PhotoEmbedding,
    PhotoInput,
    QueryEmbedding,
    SceneFace,
)
from people.names import MAX_NAME_LENGTH
from reprocess.models import Cutover, ReprocessFailure, ReprocessItem, ReprocessRun
from videos.models import (
    ActiveSpace,
    CollectedVideo,
    Collection,
    EmbeddingSpace,
    Job,
    Judgment,
    ManualTag,
    OwnerWord,
    PackedSpace,
    RecordedQuery,
    RetiredSpace,
    SavedSearch,
    Scene,
    SceneEmbedding,
    SceneInput,
    SceneWords,
    SearchPreferences,
    TaggedVideo,
    TranscriptChunk,
    Video,
    VideoMetadata,
    VideoWords,
)
from videos.search.lexical.handler import get_lexical_backend
from videos.search.packing import delete_packed

# An upload that is not complete belongs to who sends it.
IS_COMPLETE = ~Q(state=Video.State.UPLOADING)
_OF_COMPLETE = ~Q(video__state=Video.State.UPLOADING)
# The models of a library, and which rows of an owner belong to it.
MOVED: dict[type[models.Model], Q] = {
    Video: IS_COMPLETE,
    **dict.fromkeys((VideoMetadata, Scene, Job, TranscriptChunk, SceneInput, SceneEmbedding, Judgment), Q()),
    **dict.fromkeys((ManualTag, TaggedVideo, Collection, CollectedVideo), Q()),
    **dict.fromkeys((Person, PersonPhoto, PersonInput, PhotoInput, PhotoEmbedding, QueryEmbedding), Q()),
    **dict.fromkeys((SceneFace, FaceGroup, FaceMatch, FaceLabel, ReprocessFailure), Q()),
    # The item of an owner's people is the history of that owner.
    ReprocessItem: Q(video__isnull=False),
}
# Which spaces an owner's search reads is decided by `merge_spaces`. The words are written again, because they contain a key of their owner,
# and so are the codes of vectors.
# The others say what a person has asked for.
NOT_MOVED: tuple[type[models.Model], ...] = (
    SceneWords,
    VideoWords,
    OwnerWord,
    PackedSpace,
    ActiveSpace,
    RetiredSpace,
    RecordedQuery,
    SavedSearch,
    SearchPreferences,
    Cutover,
    ReprocessRun,
    PeopleRefreshRequest,
    Authenticator,
)
_BATCH = 2000


def lock_library(source_id: UUID, target_id: UUID) -> None:
    """Lock both owners, and the videos and people of the source, so that nothing else changes them until the transaction ends."""
    lock_photos(PersonPhoto.objects.filter(owner=source_id))
    for owner_id in sorted((source_id, target_id)):
        lock_owner(owner_id)
    lock_people(Person.objects.filter(owner=source_id), to_delete=True)
    list(Video.objects.filter(owner=source_id).select_for_update().order_by("pk").values_list("pk"))


def move_rows(source_id: UUID, target_id: UUID) -> None:
    """Give every row of the library to the target, and index the words of its scenes again."""
    PersonPhoto.objects.filter(owner=source_id, state=PersonPhoto.State.UPLOADING).delete()
    scene_ids = list(Scene.objects.filter(owner=source_id).values_list("pk", flat=True))
    for model, condition in MOVED.items():
        model._default_manager.filter(condition, owner=source_id).update(owner=target_id)
    # The moved vectors have lower ids than some that the target's codes include. The codes are written again from all vectors.
    delete_packed((source_id, target_id))
    moved = SceneEmbedding.objects.filter(owner=target_id, space=OuterRef("pk"))
    EmbeddingSpace.objects.filter(Exists(moved)).update(packing_checked_to=-1)
    for start in range(0, len(scene_ids), _BATCH):
        get_lexical_backend().index(scene_ids[start : start + _BATCH])


def merge_spaces(source_id: UUID, target_id: UUID) -> None:
    """Let the target's search read the source's spaces in channels where it has none. Retire the source's other spaces for the target."""
    kept = {active.channel: active.space_id for active in ActiveSpace.objects.filter(owner=target_id)}
    active = list(ActiveSpace.objects.filter(owner=source_id))
    ActiveSpace.objects.bulk_create(
        ActiveSpace(owner_id=target_id, channel=row.channel, space_id=row.space_id, activated_at=row.activated_at)
        for row in active
        if row.channel not in kept
    )
    read = set(ActiveSpace.objects.filter(owner=target_id).values_list("space", flat=True))
    RetiredSpace.objects.filter(owner=target_id, space__in=read).delete()
    unread: dict[UUID, tuple[datetime, datetime | None]] = {row.space_id: (timezone.now(), None) for row in active}
    unread |= {row.space_id: (row.retired_at, row.purge_began_at) for row in RetiredSpace.objects.filter(owner=source_id)}
    RetiredSpace.objects.bulk_create(
        (
            RetiredSpace(owner_id=target_id, space_id=space_id, retired_at=retired_at, purge_began_at=began_at)
            for space_id, (retired_at, began_at) in unread.items()
            if space_id not in read
        ),
        ignore_conflicts=True,
    )
    ActiveSpace.objects.filter(owner=source_id).delete()
    RetiredSpace.objects.filter(owner=source_id).delete()


def rename_people(source_id: UUID, target_id: UUID) -> int:
    """Give people of the source another name where the target has one of that name. Return how many.

    The two may be different people. If they are not, the target merges them.
    """
    people = list(Person.objects.filter(owner=source_id).order_by("created_at", "pk"))
    taken = _collect_names(Person.objects.filter(owner=target_id))
    own = _collect_names(people)
    renamed = 0
    for person in people:
        person.aliases = [alias for alias in person.aliases if alias.casefold() not in taken]
        if person.name.casefold() in taken:
            person.name = choose_free_name(person.name, taken | own)
            renamed += 1
        own.add(person.name.casefold())
    Person.objects.bulk_update(people, ["name", "aliases"], batch_size=500)
    return renamed


def merge_tags(source_id: UUID, target_id: UUID) -> None:
    """Give videos the target's tag where the target has one with the name of a tag of the source. Uploads that stay lose their tags."""
    TaggedVideo.objects.filter(~_OF_COMPLETE, owner=source_id).delete()
    taken = {tag.name.casefold(): tag for tag in ManualTag.objects.filter(owner=target_id)}
    for tag in ManualTag.objects.filter(owner=source_id):
        if same := taken.get(tag.name.casefold()):
            tag.tagged_videos.update(tag=same)
            tag.delete()


def rename_collections(source_id: UUID, target_id: UUID) -> None:
    """Give collections of the source another name where the target has one of that name. Uploads that stay leave their collections."""
    CollectedVideo.objects.filter(~_OF_COMPLETE, owner=source_id).delete()
    taken = {collection.name.casefold() for collection in Collection.objects.filter(owner=target_id)}
    own = {collection.name.casefold() for collection in Collection.objects.filter(owner=source_id)}
    for collection in Collection.objects.filter(owner=source_id):
        if collection.name.casefold() in taken:
            collection.name = choose_free_name(collection.name, taken | own)
            own.add(collection.name.casefold())
            collection.save(update_fields=["name"])


def choose_free_name(name: str, taken: Set[str]) -> str:
    """Return the name with the first number, from 2 on, that makes it free among case-folded names. Pure."""
    endings = (f" ({number})" for number in count(2))
    names = (name[: MAX_NAME_LENGTH - len(ending)] + ending for ending in endings)
    return next(candidate for candidate in names if candidate.casefold() not in taken)


def _collect_names(people: Iterable[Person]) -> set[str]:
    return {name.casefold() for person in people for name in (person.name, *person.aliases)}
