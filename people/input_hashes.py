"""Keep the stored input hashes of photos and people equal to what their channels would embed now."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol
from uuid import UUID

from django.db.models import QuerySet

from people.locks import lock_people
from people.models import Person, PersonInput, PersonPhoto, PhotoInput
from videos.embedding_texts import hash_input
from videos.input_hashes import load_hashes, store_hashes
from videos.models.embedding import InputHash


class InputHasher(Protocol):
    """Hash the inputs of one channel. Steps implement it."""

    @property
    def channel(self) -> str:
        """Return the name of the channel."""

    def compute_hashes(self, targets: QuerySet[Any]) -> Mapping[UUID, str]:
        """Return the hash of each target's input; an empty hash means nothing to embed."""


_photo_hashers: dict[str, InputHasher] = {}
_person_hashers: dict[str, InputHasher] = {}


def register_photo_hasher(hasher: InputHasher) -> None:
    """Have `refresh_photo_inputs` hash the inputs of the hasher's channel."""
    _photo_hashers[hasher.channel] = hasher


def register_person_hasher(hasher: InputHasher) -> None:
    """Have `refresh_person_inputs` hash the inputs of the hasher's channel."""
    _person_hashers[hasher.channel] = hasher


def refresh_photo_inputs(photo: PersonPhoto) -> None:
    """Hash a photo's inputs again. Call it in the transaction that changes the photo, which locks its row."""
    _refresh(PhotoInput, _photo_hashers, PersonPhoto.objects.filter(pk=photo.pk), photo=photo)


def refresh_person_inputs(person_ids: Collection[UUID]) -> set[UUID]:
    """Hash the inputs of some people again; return the ids of those whose inputs changed.

    Call it in the transaction that changes a photo's state or hash, after the photos are locked. It locks the people, so that the
    second of two concurrent transactions sees what the first one wrote.
    """
    locked = [person.pk for person in lock_people(Person.objects.filter(pk__in=person_ids))]
    return _refresh(PersonInput, _person_hashers, Person.objects.filter(pk__in=locked), person__in=locked)


def hash_query(image_hashes: Collection[str], *, archived: bool) -> str:
    """Return the hash of a person's query, given the hashes of the READY photos; empty for an archived person or without photos. Pure."""
    return "" if archived else hash_input("\n".join(sorted(image_hashes)))


def _refresh(model: type[InputHash], hashers: Mapping[str, InputHasher], targets: QuerySet[Any], **lookups: Any) -> set[UUID]:
    owners = dict(targets.order_by().values_list("pk", "owner_id"))
    rows = [
        (target_id, owners[target_id], channel, value)
        for channel, hasher in hashers.items()
        for target_id, value in hasher.compute_hashes(targets).items()
    ]
    return store_hashes(model, rows, load_hashes(model, hashers, **lookups))
