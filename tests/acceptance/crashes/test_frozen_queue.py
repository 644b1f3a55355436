"""A Redis that accepts connections but answers nothing delays work, and loses and doubles none."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from heimdex.queue import REPROCESS
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.library import INPUTS, SECOND, make_library
from tests.acceptance.crashes.models import CountingServer
from tests.acceptance.crashes.outcome import assert_complete, have_all_ended
from tests.heimdex.valkey import Valkey

Until = Callable[[Callable[[], bool], str], None]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


@pytest.mark.parametrize("redis_url", ["redis"], indirect=True)
def test_runs_from_before_and_during_a_freeze_end_after_it(
    redis_url: str, valkey: Valkey, second_model_workers: Workers, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    owners = {word: make_library(settings, embeddings, word) for word in ("before", "during", "meanwhile")}

    def start(word: str) -> ReprocessRun:
        scope = Scope("owner", owner_id=owners[word].pk)
        return start_run(scope, force=False, entry_point="command", requested_by=None)

    embeddings.hold("before")
    runs = {"before": start("before")}
    wait_until(embeddings.held.is_set, "the second call of the first run")
    with valkey.frozen():
        runs |= {word: start(word) for word in ("during", "meanwhile")}
        wait_until(lambda: "Cannot dequeue tasks" in second_model_workers.log(REPROCESS), "a worker's report about the queue")
        embeddings.release()
        wait_until(lambda: ReprocessRun.objects.get(pk=runs["before"].pk).finished_at is not None, "the end of the first run")
    wait_until(lambda: have_all_ended(second_model_workers), "the end of all runs")
    for word, owner in owners.items():
        assert_complete(runs[word], owner, word)
        sent = embeddings.count_documents(SECOND, word)
        assert (len(sent), sum(sent.values())) == (INPUTS, INPUTS), word
    assert second_model_workers.restarts == 0
