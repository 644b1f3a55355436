"""Runs, rebuilds and writers that meet at one search index."""

import threading
from unittest import mock

import pytest
from django.db import connection

from reprocess.planning.scope import Scope
from reprocess.runs.worker import run_worker
from tests.library import make_video
from tests.reprocess.search_index.documents import count, make_old_video, plan_documents, search, start, work
from videos.models import Video
from videos.search.lexical.opensearch.backend import OpenSearchLexical
from videos.search.lexical.opensearch.fill import Fill
from videos.search.lexical.opensearch.rebuild import Rebuild

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


def list_indexes(backend: OpenSearchLexical) -> list[str]:
    return [index.name for index in backend.read_state().indexes]


def test_two_workers_that_find_no_index_build_one(backend: OpenSearchLexical, film: Video) -> None:
    other = make_old_video(film.owner, ["A ship.", "A whale."])
    runs = [start(Scope("video", video_id=video.pk)) for video in (film, other)]

    def run_and_disconnect(number: int) -> None:
        run_worker(runs[number].pk)
        connection.close()

    threads = [threading.Thread(target=run_and_disconnect, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for run in runs:
        run.refresh_from_db()
        assert run.state == "succeeded", run.error
    assert sorted(count(run)[1] for run in runs) == [2, 3]
    assert len(list_indexes(backend)) == 1
    assert backend.verifier.verify().is_clean
    assert search(backend, film, "whale") == (1, ())


def test_a_rebuild_during_a_run_leaves_one_complete_index(backend: OpenSearchLexical, film: Video) -> None:
    ensure = Fill.ensure_index

    def ensure_and_rebuild(fill: Fill) -> str:
        name = ensure(fill)
        backend.rebuild.run()
        return name

    with mock.patch.object(Fill, "ensure_index", ensure_and_rebuild):
        run = work(start())
    assert run.state == "succeeded"
    assert len(list_indexes(backend)) == 1
    assert backend.verifier.verify().is_clean
    assert plan_documents().stale == 0


def test_a_run_leaves_the_switch_to_a_rebuild_that_is_at_it(backend: OpenSearchLexical, film: Video) -> None:
    switch = Rebuild.switch
    states = []

    def run_and_switch(rebuild: Rebuild, name: str) -> None:
        # On a connection of its own, as in another process.
        thread = threading.Thread(target=run_in_thread)
        thread.start()
        thread.join(120)
        switch(rebuild, name)

    def run_in_thread() -> None:
        states.append(work(start()).state)
        connection.close()

    with mock.patch.object(Rebuild, "switch", run_and_switch):
        backend.rebuild.run()
    assert states == ["succeeded"]
    assert len(list_indexes(backend)) == 1
    assert backend.verifier.verify().is_clean
    assert plan_documents().stale == 0


def test_words_that_are_written_during_a_run_are_in_the_new_index(backend: OpenSearchLexical, film: Video) -> None:
    ensure = Fill.ensure_index

    def ensure_and_write(fill: Fill) -> str:
        name = ensure(fill)
        make_video(film.owner, ["A whale."])
        return name

    with mock.patch.object(Fill, "ensure_index", ensure_and_write):
        run = work(start())
    assert run.state == "succeeded"
    assert search(backend, film, "whale") == (1, ())
    backend.drain.run()
    assert backend.verifier.verify().is_clean
    assert search(backend, film, "whale") == (1, ())
