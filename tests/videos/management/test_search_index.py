"""`manage.py search_index` shows, builds, fills and checks the index of words in OpenSearch."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from heimdex.accounts.models import User
from tests.heimdex.storage.seaweed import find_free_ports
from tests.library import make_user, make_video
from tests.opensearch.backends import configure
from tests.opensearch.server import DEFAULT, OpenSearchServers
from videos.models import SceneWords, SearchChange, Video
from videos.search.lexical.handler import lexical_backends
from videos.search.lexical.opensearch.backend import OpenSearchLexical
from videos.search.lexical.scene_documents import count_documents
from videos.search.lexical.search_index import enqueue, get_index_identity, read_index_view, send_in_background

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


@pytest.fixture
def backend(settings: Settings, opensearch_servers: OpenSearchServers) -> OpenSearchLexical:
    """Return the backend on a server without an index."""
    settings.LEXICAL_BACKENDS = configure(opensearch_servers.get_url(DEFAULT))
    backend = lexical_backends["default"]
    assert isinstance(backend, OpenSearchLexical)
    return backend


def run(*arguments: str) -> Any:
    """Run the command, and return what it prints as JSON."""
    out = io.StringIO()
    call_command("search_index", *arguments, json=True, stdout=out)
    return json.loads(out.getvalue())


def fail(*arguments: str) -> tuple[str, int, str]:
    """Run the command, and return its error, its exit code and what it prints."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("search_index", *arguments, stdout=out)
    return str(error.value), error.value.returncode, out.getvalue()


def count_stale() -> int:
    """Count the documents that a run would write."""
    view = read_index_view()
    assert view
    return count_documents(SceneWords.objects.all(), view).stale


def test_a_new_index_is_built_filled_and_checked(backend: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat.", "A hat."])
    message, code, printed = fail("status")
    assert "search_index rebuild" in message
    assert code == 1
    assert "2 wait since" in printed
    assert (fail("drain")[1], fail("verify")[1]) == (1, 1)
    assert count_stale() == 2
    rebuilt = run("rebuild")
    assert (rebuilt["documents"], rebuilt["refused"]) == (2, 0)
    assert run("drain") == {"sent": 2, "refused": 0, "dead": 0, "waiting": 0, "dead_changes": 0}
    status = run("status")
    assert (status["index"], status["documents"], status["rows"], status["waiting"]) == (rebuilt["name"], 2, 2, 0)
    assert status["problems"] == []
    verified = run("verify", "--owner", owner.email)
    assert (verified["rows"], verified["documents"], verified["missing"], verified["is_complete"]) == (2, 2, 0, True)
    assert count_stale() == 0
    identity = get_index_identity()
    assert identity is not None
    assert (status["mapping_version"], status["analysis_version"]) == (identity.mapping_version, identity.analysis_version)


def test_differences_are_named_and_repaired(backend: OpenSearchLexical, owner: User) -> None:
    video = make_video(owner, ["A boat."])
    run("rebuild")
    run("drain")
    scene_id = video.scenes.get().pk
    Video.objects.filter(pk=video.pk).delete()
    message, code, printed = fail("verify")
    assert (message, code) == ("1 scene(s) differ. --repair has them sent again.", 1)
    assert f"orphaned: scene {scene_id}" in printed
    message, code, _ = fail("verify", "--repair")
    assert (message, code) == ("1 scene(s) differ. 1 are sent again.", 1)
    run("drain")
    assert run("verify")["documents"] == 0


def test_a_refused_change_is_a_problem_of_the_index(backend: OpenSearchLexical, owner: User) -> None:
    scene_id = make_video(owner, ["A boat."]).scenes.get().pk
    run("rebuild")
    SearchChange.objects.update(is_dead=True, error="mapper_parsing_exception")
    message, code, _ = fail("status")
    assert "refused 1 change(s) for good" in message
    assert code == 1
    assert fail("drain")[1] == 1
    assert enqueue([scene_id]) == 1
    run("drain")
    assert run("status")["dead"] == 0


def test_a_server_that_is_away_is_exit_code_1_with_the_setting(settings: Settings, owner: User) -> None:
    settings.LEXICAL_BACKENDS = configure(f"http://127.0.0.1:{find_free_ports(1)[0]}")
    make_video(owner, ["A boat."])
    for what in ("status", "rebuild", "drain", "verify"):
        message, code, _ = fail(what)
        assert "HEIMDEX_OPENSEARCH_URL" in message
        assert code == 1


def test_without_opensearch_there_is_no_index(owner: User) -> None:
    make_video(owner, ["A boat."])
    message, code, _ = fail("status")
    assert "HEIMDEX_LEXICAL=opensearch" in message
    assert code == 2
    assert (get_index_identity(), read_index_view(), enqueue([owner.pk])) == (None, None, 0)
    assert not SearchChange.objects.exists()
    send_in_background()


@pytest.mark.parametrize("arguments", [("status", "--repair"), ("rebuild", "--owner", "owner@example.org")])
def test_options_of_verify_are_refused_elsewhere(owner: User, arguments: tuple[str, ...]) -> None:
    assert fail(*arguments)[1] == 2
