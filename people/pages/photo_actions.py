"""Retry and remove a photo."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from heimdex.accounts.owner import get_owner
from heimdex.errors import WrongState
from people.actions.photos import delete_photo, retry_photo
from people.models import PersonPhoto


@login_required
@require_POST
def retry(request: HttpRequest, person_id: UUID, photo_id: UUID) -> HttpResponse:
    """Queue a failed photo again."""
    try:
        photo = retry_photo(get_owner(request), person_id, photo_id)
    except PersonPhoto.DoesNotExist as error:
        raise Http404 from error
    except WrongState as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Retrying {photo.filename}.")
    return redirect("person-page", person_id=person_id)


@login_required
@require_POST
def remove_photo(request: HttpRequest, person_id: UUID, photo_id: UUID) -> HttpResponse:
    """Delete a photo."""
    try:
        delete_photo(get_owner(request), person_id, photo_id)
    except PersonPhoto.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, "Removed the photo.")
    return redirect("person-page", person_id=person_id)
