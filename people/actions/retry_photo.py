"""Look at a failed photo again."""

from uuid import UUID

from django.db import transaction

from heimdex.accounts.models import User
from people.actions.complete_photo import queue
from people.models import PersonPhoto
from people.photos.errors import HOPELESS
from videos.actions.errors import WrongState

HOPELESS_FILE = "Another try with the same file cannot succeed. Remove this photo and upload another one."


def retry_photo(owner: User, person_id: UUID, photo_id: UUID) -> PersonPhoto:
    """Queue a failed photo anew; WrongState when it has not failed, or nothing can be made of its file.

    PersonPhoto.DoesNotExist for another owner's ids.
    """
    with transaction.atomic():
        photo = PersonPhoto.objects.select_for_update(of=("self",)).get(pk=photo_id, person=person_id, owner=owner)
        if photo.state != PersonPhoto.State.FAILED:
            raise WrongState(f"Only a failed photo can be retried; this one is {photo.state}.")
        if photo.error_code in HOPELESS:
            raise WrongState(HOPELESS_FILE)
        queue(photo)
    return photo
