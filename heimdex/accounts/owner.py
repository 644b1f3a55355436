"""Who asks: the owner whose rows a request may reach."""

from django.http import HttpRequest
from rest_framework.request import Request

from heimdex.accounts.models import User


def owner_of(request: Request | HttpRequest) -> User:
    """Return the logged-in user; views that call it require a log-in."""
    if not isinstance(request.user, User):
        raise TypeError("owner_of() is for views that require a log-in")
    return request.user
