"""Any text is answered, or refused with the position, alike by the API, the page and the command."""

import io
import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from people.models import Person
from tests.library import make_user, make_video
from tests.videos.search.test_query_language import QUERIES

pytestmark = pytest.mark.django_db
POSITION = re.compile(r"Character (\d+): .+")
Check = Callable[[str], None]


@pytest.fixture
def check(settings: Any) -> Check:
    """Return a function that asks a query by each entry point, and compares the answers."""
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "search": "1000000/second"}
    owner = make_user()
    make_video(owner, ["A boat."])
    Person.objects.create(owner=owner, name="Ann Smith")
    api, page = APIClient(), Client()
    api.force_authenticate(owner)
    page.force_login(owner)

    def check_query(text: str) -> None:
        answer = api.get("/v1/search", {"q": text})
        posted = api.post("/v1/search", {"q": text}, format="json")
        assert (answer.status_code, posted.status_code) in {(200, 200), (400, 400)}, text
        shown = page.get("/search/", {"q": text})
        if answer.status_code == 400:
            assert answer.json() == posted.json()
            (problem,) = answer.json()["q"]
            assert shown.status_code == (400 if text.strip() else 200)
            position = POSITION.fullmatch(problem)
            assert position is None or 1 <= int(position[1]) <= len(text)
            assert position or problem in {"Enter a query, or give a filter such as person_id.", "Null characters are not allowed."}
        else:
            assert shown.status_code == 200
        if "\0" not in text:
            # No argument of a command contains it.
            assert run(owner, text) == (0 if answer.status_code == 200 else 2)

    return check_query


def run(owner: User, text: str) -> int:
    """Return the exit code of the command."""
    with suppress(CommandError):
        try:
            out = io.StringIO()
            call_command("search", "--json", "--owner", owner.email, "--", text, stdout=out)
        except CommandError as error:
            return error.returncode
        json.loads(out.getvalue())
    return 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=QUERIES)
def test_any_query_is_answered_alike_by_every_entry_point(check: Check, text: str) -> None:
    check(text[:1000])


@pytest.mark.integration
@pytest.mark.timeout(1800)
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=QUERIES)
def test_three_thousand_queries_are_answered_alike_by_every_entry_point(check: Check, text: str) -> None:
    check(text[:1000])


@pytest.mark.parametrize(
    "text", ["会" * 1000, "🚀" * 1000, "@" * 1000, '"a" ' * 250, "ก" * 1000, "a-" * 500, "\u0301" * 1000, "0x" + "f" * 998]
)
def test_a_query_of_the_greatest_length_is_answered_or_refused(check: Check, text: str) -> None:
    check(text)


def test_half_of_a_character_is_refused(check: Check) -> None:
    api = APIClient()
    api.force_authenticate(User.objects.get())
    answer = api.generic("POST", "/v1/search", r'{"q": "boat \ud800"}', content_type="application/json")
    assert answer.status_code == 400
