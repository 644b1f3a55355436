"""Make one person of two."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from heimdex.accounts.locks import lock_owner
from heimdex.accounts.models import User
from heimdex.storage import media_storage
from people.locks import lock_people, lock_photos
from people.models import FaceMatch, FaceRuling, Person, PersonPhoto
from people.names import distinct
from people.photos.schedule import wake
from people.query_hashes import refresh_query_hash
from videos.actions.errors import Refused

SELF = "A person cannot be merged with themselves. Name another one."


def merge_people(owner: User, person_id: UUID, other_id: UUID) -> Person:
    """Give a person all that another one has, whose names become aliases and who is then gone; return the person.

    Files stay where they lie: the photos' rows remember under whose id that is, so there is nothing that a crash could leave half done.
    Of photos that both have, the other's is dropped. Person.DoesNotExist when either is not this owner's; Refused when both are one.
    """
    if person_id == other_id:
        raise Refused(SELF, "other")
    with transaction.atomic():
        lock_photos(PersonPhoto.objects.filter(person__in=(person_id, other_id), owner=owner))
        lock_owner(owner.pk)
        both = Person.objects.filter(pk__in=(person_id, other_id), owner=owner)
        people = {person.pk: person for person in lock_people(both, to_delete=True)}
        if len(people) != 2:
            raise Person.DoesNotExist
        person, other = people[person_id], people[other_id]
        _drop_duplicates(person, other)
        PersonPhoto.objects.filter(person=other).update(person=person, filed_under=Coalesce("filed_under", F("person_id")))
        FaceRuling.objects.filter(person=other).update(person=person)
        FaceMatch.objects.filter(person=other).update(person=person)
        other.delete()
        person.aliases = distinct([*person.aliases, other.name, *other.aliases], person.name)
        person.updated_at = timezone.now()
        person.save(update_fields=["aliases", "updated_at"])
        refresh_query_hash([person.pk])
        wake(owner.pk)
        person.refresh_from_db(fields=["person_query_hash"])
    return person


def _drop_duplicates(person: Person, other: Person) -> None:
    ready = PersonPhoto.objects.filter(state=PersonPhoto.State.READY)
    for photo in ready.filter(person=other, checksum__in=ready.filter(person=person).values("checksum")):
        transaction.on_commit(partial(media_storage().delete_prefix, photo.storage_prefix))
        photo.delete()
