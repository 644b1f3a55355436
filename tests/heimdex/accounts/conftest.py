"""People and clients for the account tests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client, override_settings
from rest_framework.test import APIClient

if TYPE_CHECKING:
    from heimdex.accounts.models import User

EMAIL, PASSWORD = "ann@example.com", "tiger lilies bloom"


class QuickHasher(Argon2PasswordHasher):
    """The hasher of the service at its lowest cost: the tests log in a hundred times."""

    time_cost, memory_cost, parallelism = 1, 8, 1


@pytest.fixture(autouse=True)
def quick_hashes() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=[f"{__name__}.QuickHasher"]):
        yield


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
