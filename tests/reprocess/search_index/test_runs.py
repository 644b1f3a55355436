"""The step `search_index`: a run writes the documents that the search index lacks, and only those."""

from typing import Any
from unittest import mock

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from reprocess.actions.runs import pause_run, resume_run
from reprocess.planning.scope import Scope
from reprocess.planning.search_index import SEARCH_INDEX, count_search_index
from reprocess.runs.requests import plan_run
from reprocess.spec import get_effective_spec
from tests.library import make_user, make_video
from tests.opensearch.backends import configure
from tests.reprocess.search_index.documents import ALL, count, make_old_video, plan_documents, search, start, work
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video
from videos.models import SceneDocument, SearchChange, Video
from videos.search.lexical.handler import lexical_backends
from videos.search.lexical.opensearch.backend import FALLBACK, TOO_MANY_PENDING, OpenSearchLexical
from videos.search.lexical.search_index import read_index_view

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


def count_requests(backend: OpenSearchLexical) -> Any:
    """Record the requests to the server."""
    return mock.patch.object(backend.client.transport, "perform_request", wraps=backend.client.transport.perform_request)


def test_the_first_run_builds_and_fills_the_index_and_the_next_one_has_nothing_to_do(backend: OpenSearchLexical, film: Video) -> None:
    planned = plan_documents()
    assert (planned.targets, planned.causes, planned.inputs) == (3, {"missing": 3}, 3)
    assert (planned.model_calls, planned.tokens, planned.cost) == (0, 0, 0)
    assert search(backend, film, "boat") == (1, (FALLBACK,))

    run = work(start())
    assert (run.state, count(run)) == ("succeeded", (3, 3, 0, 0, 0))
    assert search(backend, film, "boat") == (1, ())
    assert backend.verifier.verify().is_clean
    assert not SearchChange.objects.exists()
    assert run.uses.get(step=SEARCH_INDEX).inputs == 3

    assert plan_run(ALL, force=False).stale == 0
    with count_requests(backend) as requests:
        second = work(start())
    assert (second.state, count(second)) == ("succeeded", (3, 0, 3, 0, 0))
    assert second.model_calls == 0
    # It looks which index there is, and sends nothing.
    assert {call.args[0] for call in requests.call_args_list} == {"GET"}


def test_words_that_ingest_or_an_edit_has_written_are_on_their_way_and_not_planned(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    edit_transcript(film.owner, film.pk, film.scenes.get(index=0).pk, "A goat.")
    make_video(film.owner, ["A boat."])
    assert plan_documents().stale == 0
    backend.drain.run()
    assert plan_documents().stale == 0
    assert SceneDocument.objects.count() == 4


def test_what_changed_while_words_were_searched_in_postgresql_is_planned_when_opensearch_is_back(
    backend: OpenSearchLexical, film: Video, settings: Settings
) -> None:
    other, gone = make_old_video(make_user("other@example.org"), ["A ship."]), make_old_video(film.owner, ["A cat."])
    work(start())
    with_opensearch = settings.LEXICAL_BACKENDS
    settings.LEXICAL_BACKENDS = {"default": {"BACKEND": "videos.search.lexical.postgres.PostgresLexical"}}
    edit_transcript(film.owner, film.pk, film.scenes.get(index=0).pk, "A whale.")
    make_video(film.owner, ["A shark."])
    assert (plan_documents().targets, plan_documents().causes) == (0, {})
    delete_video(gone)
    assert SceneDocument.objects.count() == 4
    settings.LEXICAL_BACKENDS = with_opensearch
    assert plan_documents().causes == {"missing": 1, "input changed": 1}
    again = lexical_backends["default"]
    assert isinstance(again, OpenSearchLexical)
    # Until the run ends, the owner's words are searched in the database. Another owner's are all in the index.
    assert search(again, film, "whale") == (1, (TOO_MANY_PENDING,))
    assert search(again, other, "ship") == (1, ())
    run = work(start())
    assert count(run) == (5, 2, 3, 0, 0)
    assert search(again, film, "whale") == (1, ())


def test_a_forced_run_writes_every_document_again(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    assert plan_documents(force=True).causes == {"forced": 3}
    run = work(start(force=True))
    assert (run.state, count(run)) == ("succeeded", (3, 3, 0, 0, 0))


def test_an_index_is_searched_once_it_has_the_words_of_all_owners(backend: OpenSearchLexical, film: Video) -> None:
    other = make_old_video(make_user("other@example.org"), ["A boat."])
    first = work(start(Scope("video", video_id=film.pk)))
    assert count(first) == (3, 3, 0, 0, 0)
    assert search(backend, film, "boat") == (1, (FALLBACK,))
    assert plan_documents().causes == {"missing": 1}
    assert plan_documents(Scope("owner", owner_id=film.owner_id)).stale == 0
    second = work(start(Scope("owner", owner_id=other.owner_id)))
    assert count(second) == (1, 1, 0, 0, 0)
    assert search(backend, film, "boat") == (1, ())


def test_a_run_can_be_paused(backend: OpenSearchLexical, film: Video) -> None:
    run = start()
    pause_run(run.pk)
    assert (work(run).state, count(run)) == ("paused", (3, 0, 0, 0, 3))
    resume_run(run.pk)
    assert (work(run).state, count(run)) == ("succeeded", (3, 3, 0, 0, 0))


def test_a_plan_takes_one_statement_whatever_it_counts(
    backend: OpenSearchLexical, film: Video, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        make_old_video(film.owner, ["A boat."])
    view = read_index_view()
    with django_assert_num_queries(1):
        assert count_search_index(ALL, view, force=False).missing == 6


def test_two_runs_share_the_work(backend: OpenSearchLexical, film: Video) -> None:
    everything, owned = start(), start(Scope("owner", owner_id=film.owner_id))
    work(owned)
    work(everything)
    assert {count(owned)[1] + count(owned)[2], count(everything)[1] + count(everything)[2]} == {3}
    assert backend.verifier.verify().is_clean


def test_the_backend_is_part_of_the_spec_and_of_no_fingerprint(backend: OpenSearchLexical, settings: Settings) -> None:
    with_opensearch = get_effective_spec()
    settings.LEXICAL_BACKENDS = {"default": {"BACKEND": "videos.search.lexical.postgres.PostgresLexical"}}
    with_postgres = get_effective_spec()
    assert with_opensearch.definition[:-1] == with_postgres.definition[:-1]
    assert with_opensearch.fingerprints == with_postgres.fingerprints
    assert with_opensearch.digest != with_postgres.digest
    # Where the server is makes no difference.
    settings.LEXICAL_BACKENDS = configure("http://elsewhere:9200")
    assert get_effective_spec().digest == with_opensearch.digest
