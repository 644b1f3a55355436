"""Remove one photo of a person."""

from functools import partial
from uuid import UUID

from django.db import transaction

from heimdex.accounts.models import User
from heimdex.storage import media_storage
from people.models import PersonPhoto
from people.photos.schedule import wake
from people.query_hashes import refresh_query_hash


def delete_photo(owner: User, person_id: UUID, photo_id: UUID) -> None:
    """Remove a photo with its vectors and files; what the person is looked for by is renewed when it counted.

    PersonPhoto.DoesNotExist for another owner's ids.
    """
    with transaction.atomic():
        # A worker writes under the same lock: afterwards it writes no more, and what it wrote is deleted here.
        photo = PersonPhoto.objects.select_for_update(of=("self",)).get(pk=photo_id, person=person_id, owner=owner)
        prefix = photo.storage_prefix
        photo.delete()
        if refresh_query_hash([person_id]):
            wake(owner.pk)
        transaction.on_commit(partial(media_storage().delete_prefix, prefix))
