"""Two owners and their browsers."""

import html
import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from heimdex.accounts.models import User


@pytest.fixture
def owner(db: None) -> "User":
    from tests.library import make_user

    return make_user(name="Olga Owner")


@pytest.fixture
def stranger(db: None) -> "User":
    from tests.library import make_user

    return make_user("stranger@example.org")


@pytest.fixture
def browser(owner: "User") -> Client:
    client = Client()
    client.force_login(owner)
    return client


def read(client: Client, path: str) -> str:
    """Return the HTML of a page."""
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return str(answer.content.decode())


def extract_text(page: str) -> str:
    """Return the visible text of a page: no tags, one space between words."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
