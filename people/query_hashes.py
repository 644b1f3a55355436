"""The hash of what a person is looked for by: it changes exactly when the person's READY photos do."""

from collections.abc import Collection
from uuid import UUID

from people.locks import lock_people
from people.models import Person, PersonPhoto
from videos.composition import input_hash


def query_hash(photo_hashes: Collection[str], *, archived: bool) -> str:
    """Return the hash of a person with READY photos of these hashes; empty when there is nothing to look for. Pure."""
    return "" if archived else input_hash("\n".join(sorted(photo_hashes)))


def refresh_query_hash(person_ids: Collection[UUID]) -> set[UUID]:
    """Set `person_query_hash` of some people to what it must be now; return the ids of those for whom that is something else.

    Call it in the transaction that changes a photo's state or hash, after the photos are locked: it locks the people, so that of two
    such transactions the second counts what the first has written.
    """
    people = lock_people(Person.objects.filter(pk__in=person_ids))
    hashes: dict[UUID, list[str]] = {}
    ready = PersonPhoto.objects.filter(person__in=people, state=PersonPhoto.State.READY).exclude(person_photo_hash="")
    for person_id, photo_hash in ready.order_by().values_list("person_id", "person_photo_hash"):
        hashes.setdefault(person_id, []).append(photo_hash)
    changed = set()
    for person in people:
        wanted = query_hash(hashes.get(person.pk, []), archived=person.is_archived)
        if wanted != person.person_query_hash:
            Person.objects.filter(pk=person.pk).update(person_query_hash=wanted)
            changed.add(person.pk)
    return changed
