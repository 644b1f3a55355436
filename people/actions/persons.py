"""Add, edit, merge and delete people."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.accounts.owner import lock_owner
from heimdex.errors import Refused
from heimdex.outages.deletions import delete_files
from people.input_hashes import refresh_person_inputs
from people.locks import lock_people, lock_photos
from people.models import FaceLabel, FaceMatch, Person, PersonPhoto
from people.names import clean_aliases, clean_name, deduplicate_aliases, merge_aliases
from people.refresh import request_refresh

NAME_TAKEN = "You already have a person named {name}."
NAME_OF_ANOTHER = "{other} already has the other name {name}. Choose a different name."
CANNOT_RESTORE = "Meanwhile, {other} has the name {name}. Change it, or merge the two people, before you restore {person}."
SAME_PERSON = "A person cannot be merged with themselves. Choose another person."


def add_person(owner: User, name: str, aliases: Iterable[str] = ()) -> Person:
    """Create a person without photos. Raise Refused for an invalid name or one that the owner already uses."""
    name = clean_name(name)
    person = Person(owner=owner, name=name, aliases=clean_aliases(aliases, name))
    with transaction.atomic():
        lock_owner(owner.pk)
        _refuse_taken_names(person)
        _save(person)
    return person


def edit_person(
    owner: User, person_id: UUID, *, name: str | None = None, aliases: Iterable[str] | None = None, archived: bool | None = None
) -> Person:
    """Change the given values. Archived people are hidden and not matched until they are restored.

    Raise Person.DoesNotExist for another owner's id, and Refused for an invalid name or one that is taken.
    """
    with transaction.atomic():
        lock_owner(owner.pk)
        person = Person.objects.select_for_update(no_key=True).get(pk=person_id, owner=owner)
        own_names = _list_names(person)
        if name is not None:
            person.name = clean_name(name)
        person.aliases = deduplicate_aliases(person.aliases, person.name) if aliases is None else clean_aliases(aliases, person.name)
        archive_changed = archived is not None and archived != person.is_archived
        if archive_changed:
            person.archived_at = timezone.now() if archived else None
        if archive_changed and not archived and (taken := _find_taken_name(person)):
            raise Refused(CANNOT_RESTORE.format(other=taken.other.name, name=taken.name, person=person.name), "archived")
        _refuse_taken_names(person, own_names)
        person.updated_at = timezone.now()
        _save(person)
        inputs_changed = refresh_person_inputs([person.pk])
        if archive_changed or inputs_changed:
            # Needed even without photos, because labels alone match faces to a person.
            request_refresh(person.owner_id)
    return person


def merge_people(owner: User, person_id: UUID, other_id: UUID) -> Person:
    """Move everything from the other person to this one, keep the other's names as aliases, delete the other, and return this one.

    Files are not moved: the rows of the photos keep the id in their keys, so a crash leaves nothing half done. Duplicate
    photos are kept once. Raise Person.DoesNotExist when either belongs to another owner, and Refused when both ids are the same or
    their names are too many.
    """
    if person_id == other_id:
        raise Refused(SAME_PERSON, "other")
    with transaction.atomic():
        lock_photos(PersonPhoto.objects.filter(person__in=(person_id, other_id), owner=owner))
        lock_owner(owner.pk)
        both = Person.objects.filter(pk__in=(person_id, other_id), owner=owner)
        people = {person.pk: person for person in lock_people(both, to_delete=True)}
        if len(people) != 2:
            raise Person.DoesNotExist
        person, other = people[person_id], people[other_id]
        _delete_duplicate_photos(person, other)
        PersonPhoto.objects.filter(person=other).update(person=person, filed_under=Coalesce("filed_under", F("person_id")))
        FaceLabel.objects.filter(person=other).update(person=person)
        FaceMatch.objects.filter(person=other).update(person=person)
        other.delete()
        person.aliases = merge_aliases(person.aliases, person.name, [other.name, *other.aliases])
        person.updated_at = timezone.now()
        person.save(update_fields=["aliases", "updated_at"])
        refresh_person_inputs([person.pk])
        request_refresh(owner.pk)
    return person


def delete_person(owner: User, person_id: UUID) -> None:
    """Delete a person with photos, vectors, matches, labels and files. Raise Person.DoesNotExist for another owner's id.

    Files are deleted after the rows, so a crash in between leaves no row without its file.
    """
    with transaction.atomic():
        # A worker writes a photo's rows and files under the photo's lock. Once we hold the locks, it writes no more. Whatever it wrote
        # while we waited is deleted below.
        lock_photos(PersonPhoto.objects.filter(person=person_id, owner=owner))
        lock_owner(owner.pk)
        if not lock_people(Person.objects.filter(pk=person_id, owner=owner), to_delete=True):
            raise Person.DoesNotExist
        prefixes = [photo.storage_prefix for photo in PersonPhoto.objects.filter(person=person_id)]
        Person.objects.filter(pk=person_id).delete()
        # The person's faces no longer match anybody, so they may be grouped.
        request_refresh(owner.pk)
        for prefix in prefixes:
            delete_files(prefix)


def _save(person: Person) -> None:
    """Write a person's row. Raise Refused when another person of the owner, archived or not, has the name in any capitalization."""
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        # The name is the only unique value. This also covers two concurrent requests.
        raise Refused(NAME_TAKEN.format(name=person.name), "name") from error


@dataclass(frozen=True)
class _TakenName:
    """A name that another active person already has, as the name or as an alias."""

    name: str
    other: Person


def _list_names(person: Person) -> set[str]:
    return {name.casefold() for name in (person.name, *person.aliases)}


def _find_taken_name(person: Person, own_names: Collection[str] = ()) -> _TakenName | None:
    """Return the first of a person's names, apart from `own_names`, that another active person of the owner has in any capitalization."""
    taken: dict[str, Person] = {}
    for other in Person.objects.filter(owner=person.owner_id, archived_at__isnull=True).exclude(pk=person.pk).only("name", "aliases"):
        taken.update(dict.fromkeys(_list_names(other), other))
    names = (name for name in (person.name, *person.aliases) if name.casefold() not in own_names)
    return next((_TakenName(name, taken[name.casefold()]) for name in names if name.casefold() in taken), None)


def _refuse_taken_names(person: Person, own_names: Collection[str] = ()) -> None:
    """Raise Refused for a taken name. A name that the person has had before may be shared: that was not always refused."""
    if taken := _find_taken_name(person, own_names):
        is_name = taken.name.casefold() == taken.other.name.casefold()
        text = NAME_TAKEN.format(name=taken.other.name) if is_name else NAME_OF_ANOTHER.format(other=taken.other.name, name=taken.name)
        raise Refused(text, "name" if taken.name == person.name else "aliases")


def _delete_duplicate_photos(person: Person, other: Person) -> None:
    ready = PersonPhoto.objects.filter(state=PersonPhoto.State.READY)
    for photo in ready.filter(person=other, checksum__in=ready.filter(person=person).values("checksum")):
        delete_files(photo.storage_prefix)
        photo.delete()
