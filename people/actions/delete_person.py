"""Delete a person: photos, vectors, matches, rulings and files."""

from functools import partial
from uuid import UUID

from django.db import transaction

from heimdex.accounts.locks import lock_owner
from heimdex.accounts.models import User
from heimdex.storage import media_storage
from people.locks import lock_people, lock_photos
from people.models import Person, PersonPhoto
from people.photos.schedule import wake


def delete_person(owner: User, person_id: UUID) -> None:
    """Remove everything of a person. The files go after the rows, so a crash between leaves no row that points at nothing.

    Person.DoesNotExist for another owner's id.
    """
    with transaction.atomic():
        # A worker writes rows and files of a photo under the lock of its row: once it is ours, the worker writes no more,
        # and what it wrote while this waited is seen, and deleted, below.
        lock_photos(PersonPhoto.objects.filter(person=person_id, owner=owner))
        lock_owner(owner.pk)
        if not lock_people(Person.objects.filter(pk=person_id, owner=owner), to_delete=True):
            raise Person.DoesNotExist
        prefixes = [photo.storage_prefix for photo in PersonPhoto.objects.filter(person=person_id)]
        Person.objects.filter(pk=person_id).delete()
        # Faces that were this person's are nobody's now, and may be grouped.
        wake(owner.pk)
        for prefix in prefixes:
            transaction.on_commit(partial(media_storage().delete_prefix, prefix))
