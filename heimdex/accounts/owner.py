"""The owner of a request, and the lock on an owner."""

from uuid import UUID

from django.http import HttpRequest
from rest_framework.request import Request

from heimdex.accounts.models import User


def get_owner(request: Request | HttpRequest) -> User:
    """Return the logged-in user. Raise TypeError in a view that does not require a login."""
    if not isinstance(request.user, User):
        raise TypeError("get_owner() is only for views that require a login")
    return request.user


def lock_owner(owner_id: UUID) -> None:
    """Lock an owner until the transaction ends, so that no other transaction switches the owner's spaces or matches faces.

    Other transactions can still write rows that refer to the owner.
    """
    list(User.objects.filter(pk=owner_id).select_for_update(no_key=True).values_list("pk"))
