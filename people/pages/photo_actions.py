"""What can be done with a photo: try it again, or remove it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from heimdex.accounts.owner import owner_of
from people.actions.delete_photo import delete_photo
from people.actions.retry_photo import retry_photo
from people.models import PersonPhoto
from videos.actions.errors import WrongState


@login_required
@require_POST
def retry(request: HttpRequest, person_id: UUID, photo_id: UUID) -> HttpResponse:
    """Queue a failed photo again."""
    try:
        photo = retry_photo(owner_of(request), person_id, photo_id)
    except PersonPhoto.DoesNotExist as error:
        raise Http404 from error
    except WrongState as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{photo.filename} is looked at again.")
    return redirect("person-page", person_id=person_id)


@login_required
@require_POST
def remove_photo(request: HttpRequest, person_id: UUID, photo_id: UUID) -> HttpResponse:
    """Remove a photo."""
    try:
        delete_photo(owner_of(request), person_id, photo_id)
    except PersonPhoto.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, "The photo is removed.")
    return redirect("person-page", person_id=person_id)
