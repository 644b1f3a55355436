"""What operators read about the step `search_index`: in plans, in the spec, and as the coverage of owners."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from reprocess.planning.scope import Scope
from reprocess.reports.runs import measure_progress
from reprocess.runs.requests import plan_run
from tests.library import make_user
from tests.opensearch.server import OpenSearchServer
from tests.reprocess.search_index.documents import make_old_video, start, work
from videos.models import SearchChange, Video
from videos.search.lexical.opensearch.backend import OpenSearchLexical

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_user("staff@example.org", is_staff=True))
    return client


def run_command(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def read_coverage() -> dict[str, tuple[Any, ...]]:
    """Return state, documents, failed, missing and percent of the search index by owner."""
    shown = {}
    for owner in json.loads(run_command("spec", "--json"))["owners"]:
        [index] = [space for space in owner["spaces"] if space["channel"] == "search_index"]
        shown[owner["email"]] = tuple(index[name] for name in ("state", "embedded", "failed", "missing", "percent"))
    return shown


def test_coverage_grows_with_the_documents_and_tells_when_they_are_searched(backend: OpenSearchLexical, film: Video, staff: Client) -> None:
    other = make_old_video(make_user("other@example.org"), ["A ship."])
    assert read_coverage() == {film.owner.email: ("coming", 0, 0, 3, 0), other.owner.email: ("coming", 0, 0, 1, 0)}
    assert "There is no search index" in run_command("spec")
    work(start(Scope("video", video_id=film.pk)))
    assert read_coverage() == {film.owner.email: ("coming", 3, 0, 0, 100), other.owner.email: ("coming", 0, 0, 1, 0)}
    work(start())
    assert read_coverage() == {film.owner.email: ("active", 3, 0, 0, 100), other.owner.email: ("active", 1, 0, 0, 100)}
    SearchChange.objects.create(scene_id=other.scenes.get().pk, owner_id=other.owner_id, is_dead=True, error="no such field")
    assert read_coverage()[other.owner.email] == ("active", 1, 0, 0, 100)
    searched = backend.read_state().searched
    assert searched
    for shown in (run_command("spec"), staff.get("/admin/reprocess/embeddingspec/").content.decode()):
        assert f"The documents of search_index are in {searched.name}." in shown
        assert "mapping 1, analysis" in shown


def test_plans_count_documents_apart_from_vectors(backend: OpenSearchLexical, film: Video, staff: Client) -> None:
    shown = run_command("reprocess_embeddings", "--scope", "all", "--dry-run")
    assert "12 vectors and 3 documents of the search index are" in " ".join(shown.split())
    page = staff.get(f"{reverse('admin:reprocess_start')}?scope=all").content.decode()
    assert "12 vectors to compute" in page
    assert "3 documents of the search index to write" in page
    run = work(start())
    assert measure_progress(run).percent == 100
    assert "3 done, 0 skipped" in run_command("reprocess_runs", "show", str(run.pk))


def test_owners_with_missing_documents_are_listed(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    make_old_video(make_user("other@example.org"), ["A ship."])
    plan = plan_run(Scope("all"), force=False)
    assert plan.stale_owners == 1
    assert plan.owners[0].stale == 5


def test_plans_and_pages_work_while_the_server_is_away(
    backend: OpenSearchLexical, film: Video, opensearch_server: OpenSearchServer, staff: Client
) -> None:
    work(start())
    with opensearch_server.stopped():
        assert read_coverage()[film.owner.email][1:] == (3, 0, 0, 100)
        for shown in (
            run_command("spec"),
            run_command("reprocess_embeddings", "--scope", "all", "--dry-run"),
            staff.get(f"{reverse('admin:reprocess_start')}?scope=all").content.decode(),
        ):
            assert "The search index is counted as it was when it was last written" in shown


def test_postgresql_has_no_documents(film: Video, settings: Settings, staff: Client) -> None:
    settings.LEXICAL_BACKENDS = {"default": {"BACKEND": "videos.search.lexical.postgres.PostgresLexical"}}
    sentence = "Words are searched in PostgreSQL, so search_index has nothing to do."
    for shown in (run_command("spec"), staff.get("/admin/reprocess/embeddingspec/").content.decode()):
        assert sentence in shown
    assert "search_index" not in {
        space["channel"] for owner in json.loads(run_command("spec", "--json"))["owners"] for space in owner["spaces"]
    }
    [planned] = [channel for channel in plan_run(Scope("all"), force=False).channels if channel.step == "search_index"]
    assert (planned.targets, planned.stale) == (0, 0)
