"""The owner's browser."""

import pytest
from django.test import Client

from heimdex.accounts.models import User


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client
