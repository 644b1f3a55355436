"""People and clients for the account tests."""

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from rest_framework.test import APIClient

if TYPE_CHECKING:
    from heimdex.accounts.models import User

EMAIL, PASSWORD = "ann@example.com", "tiger lilies bloom"


@pytest.fixture
def ann(db: None) -> "User":
    from heimdex.accounts.models import User

    return User.objects.create_user(EMAIL, PASSWORD, name="Ann Example")


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def browser() -> Client:
    """A client whose forged requests are refused, as for a real browser."""
    return Client(enforce_csrf_checks=True)
