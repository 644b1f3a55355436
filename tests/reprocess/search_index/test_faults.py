"""A run that writes the search index meets faults: what it has written counts, and nothing is lost."""

from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import pytest
from opensearchpy import OpenSearch
from pytest_django import Settings

from reprocess.actions.runs import cancel_run, retry_failures
from reprocess.planning.search_index import SEARCH_INDEX
from reprocess.runs.requests import plan_run
from reprocess.runs.rescue import rescue_runs
from reprocess.runs.worker import run_worker
from tests.opensearch.server import OpenSearchServer
from tests.outages import probe_now
from tests.reprocess.search_index.documents import ALL, count, get_documents, make_old_video, plan_documents, search, start, work
from videos.actions.transcripts import edit_transcript
from videos.models import SearchChange, Video
from videos.search.lexical.opensearch import bulk, drain, fill
from videos.search.lexical.opensearch.backend import FALLBACK, OpenSearchLexical
from videos.search.lexical.opensearch.bulk import DocumentWrite, Result, WriteResult

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


def test_an_index_that_was_deleted_by_hand_is_built_again(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    backend.client.indices.delete(index=backend.names.pattern)
    assert plan_documents().causes == {"missing": 3}
    run = work(start())
    assert (run.state, count(run)) == ("succeeded", (3, 3, 0, 0, 0))
    assert backend.verifier.verify().is_clean


def test_an_index_of_an_older_version_is_replaced(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    change_versions(backend, analysis_version=0)
    assert plan_documents().causes == {"step changed": 3}
    # It is searched until the new one has everything.
    assert search(backend, film, "boat") == (1, ())
    run = work(start())
    assert (run.state, count(run)) == ("succeeded", (3, 3, 0, 0, 0))
    assert plan_documents().stale == 0
    assert len(backend.read_state().indexes) == 1
    assert backend.verifier.verify().is_clean


def test_an_index_of_a_newer_release_is_left_alone(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    change_versions(backend, mapping_version=99)
    assert "newer release" in str(plan_run(ALL, force=False).notices)
    run = work(start(force=True))
    assert (run.state, run.waits_for) == ("paused", "search")
    assert "newer release" in run.error


def change_versions(backend: OpenSearchLexical, **versions: int) -> None:
    searched = backend.read_state().searched
    assert searched
    identity = {"mapping_version": searched.identity.mapping_version, "analysis_version": searched.identity.analysis_version, **versions}
    backend.client.indices.put_mapping(index=searched.name, body={"_meta": identity})


def test_a_run_waits_while_opensearch_is_away(backend: OpenSearchLexical, film: Video, opensearch_server: OpenSearchServer) -> None:
    work(start())
    edit_transcript(film.owner, film.pk, film.scenes.get(index=0).pk, "A whale.")
    with opensearch_server.stopped():
        plan = plan_run(ALL, force=False)
        assert "cannot be reached" in plan.notices[0]
        assert get_documents(plan).causes == {}
        run = work(start())
        assert (run.state, run.waits_for) == ("paused", "search")
        assert run.error.startswith("Waiting for the search server, and continues by itself. OpenSearch at http://127.0.0.1:")
        # Vectors do not need it.
        assert run.counters.get(channel="visual").done == 0
        assert run.counters.get(channel="transcript").done == 1
        assert not probe_now()
        assert rescue_runs() == 0
    assert probe_now()
    assert rescue_runs() == 1
    assert (work(run).state, run.waits_for) == ("succeeded", "")
    assert count(run) == (3, 1, 2, 0, 0)
    assert not run.failures.exists()


def test_a_run_waits_while_the_disk_of_opensearch_is_full(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    block = "index.blocks.read_only_allow_delete"
    backend.client.indices.put_settings(index=backend.names.alias, body={block: True})
    run = work(start(force=True))
    assert (run.state, run.waits_for) == ("paused", "search")
    assert "free some space" in run.error
    assert not probe_now()
    backend.client.indices.put_settings(index=backend.names.alias, body={block: None})
    assert probe_now()
    assert rescue_runs() == 1
    assert work(run).state == "succeeded"
    assert count(run) == (3, 3, 0, 0, 0)


@pytest.mark.parametrize("place", ["send", "record", "switch"])
def test_a_run_that_is_killed_continues_where_it_was(backend: OpenSearchLexical, film: Video, place: str, settings: Settings) -> None:
    settings.LEASE_SECONDS = 0
    make_old_video(film.owner, ["A ship."])
    die = mock.Mock(side_effect=KeyboardInterrupt)
    places = {
        "send": mock.patch.object(drain, "write_documents", die),
        "record": mock.patch.object(drain, "record_documents", die),
        "switch": mock.patch("videos.search.lexical.opensearch.rebuild.Rebuild.switch", die),
    }
    run = start()
    with places[place], pytest.raises(KeyboardInterrupt):
        run_worker(run.pk)
    assert search(backend, film, "boat") == (1, (FALLBACK,))
    rescue_runs()
    assert work(run).state == "succeeded"
    assert count(run) == (4, 4, 0, 0, 0)
    assert search(backend, film, "boat") == (1, ())
    assert backend.verifier.verify().is_clean


def test_a_run_that_is_canceled_leaves_what_it_has_written_to_the_next(backend: OpenSearchLexical, film: Video) -> None:
    make_old_video(film.owner, ["A ship."])
    run = start()
    write = bulk.write_documents

    def write_and_cancel(
        client: OpenSearch, aliases: Sequence[str], writes: Sequence[DocumentWrite], *, refresh: bool
    ) -> list[WriteResult]:
        cancel_run(run.pk)
        return write(client, aliases, writes, refresh=refresh)

    with mock.patch.object(drain, "write_documents", write_and_cancel), mock.patch.object(fill, "BATCH", 2):
        work(run)
    assert run.state == "cancelled"
    planned, done, skipped, failed, not_begun = count(run)
    assert (planned, skipped, failed) == (4, 0, 0)
    assert done + not_begun == 4
    assert not_begun
    # The rest of the group is in the outbox, where searches see it.
    assert (plan_documents().stale, SearchChange.objects.count()) == (0, not_begun)
    assert search(backend, film, "boat") == (1, ())
    following = work(start())
    assert count(following) == (4, not_begun, done, 0, 0)
    assert search(backend, film, "boat") == (1, ())


def test_documents_that_opensearch_refuses_are_failures_with_a_reason(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    refused = film.scenes.get(index=1)
    with mock.patch.object(bulk, "read_result", refuse(refused.pk)):
        run = work(start(force=True))
    assert (run.state, count(run)) == ("failed", (3, 2, 0, 1, 0))
    failure = run.failures.get()
    assert (failure.step, failure.channel, failure.scene_id, failure.error) == (SEARCH_INDEX, SEARCH_INDEX, refused.pk, "not this one")
    assert run.items.get().state == "failed"
    retry_failures(run.pk)
    SearchChange.objects.update(attempts=9, is_dead=True)
    assert (work(run).state, count(run)) == ("succeeded", (3, 3, 0, 0, 0))
    assert not run.failures.exists()
    assert not SearchChange.objects.exists()


def test_what_was_given_up_is_planned_again(backend: OpenSearchLexical, film: Video) -> None:
    work(start())
    edit_transcript(film.owner, film.pk, film.scenes.get(index=0).pk, "A whale.")
    SearchChange.objects.update(is_dead=True, error="not this one")
    assert plan_documents().causes == {"input changed": 1}
    assert count(work(start())) == (3, 1, 2, 0, 0)
    assert not SearchChange.objects.exists()


def refuse(scene_id: object) -> Callable[..., WriteResult]:
    read = bulk.read_result

    def read_result(write: DocumentWrite, item: Any) -> WriteResult:
        if write.change.scene_id == scene_id:
            return WriteResult(write, Result.REFUSED, "not this one")
        return read(write, item)

    return read_result
