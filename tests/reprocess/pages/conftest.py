"""An owner, and the browser in which that owner is logged in."""

import pytest
from django.test import Client

from heimdex.accounts.models import User
from tests.library import make_user


@pytest.fixture
def owner() -> User:
    return make_user(name="Olga Owner")


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client
