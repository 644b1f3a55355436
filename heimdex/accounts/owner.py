"""The owner whose rows a request may read and change."""

from django.http import HttpRequest
from rest_framework.request import Request

from heimdex.accounts.models import User


def get_owner(request: Request | HttpRequest) -> User:
    """Return the logged-in user. Raise TypeError in a view that does not require a login."""
    if not isinstance(request.user, User):
        raise TypeError("get_owner() is only for views that require a login")
    return request.user
