"""An owner, and the API as that owner uses it."""

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client
