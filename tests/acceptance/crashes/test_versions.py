"""A rolling deploy: workers of two specs on one database do the runs of their own spec, and leave the others."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from heimdex.accounts.models import User
from heimdex.queue import REPROCESS
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.conftest import QUEUES, build_environment
from tests.acceptance.crashes.library import SECOND, THIRD, configure_models, make_library
from tests.acceptance.crashes.models import CountingServer
from tests.acceptance.crashes.outcome import assert_complete, expire_leases, list_lease_tokens

Until = Callable[[Callable[[], bool], str], None]
Deploy = Callable[[str], Workers]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


@pytest.fixture
def deploy(transactional_db: None, embeddings: CountingServer, redis_url: str, tmp_path: Path) -> Iterator[Deploy]:
    """Return a function that starts two workers with the spec that has a text model."""
    started: list[Workers] = []
    embeddings.requests.clear()

    def start(model: str) -> Workers:
        (tmp_path / model).mkdir()
        started.append(Workers(tmp_path / model))
        started[-1].serve({REPROCESS: build_environment(embeddings, model, redis_url) | {"HEIMDEX_REPROCESS_WORKERS": "2"}})
        return started[-1]

    yield start
    embeddings.release()
    for workers in started:
        workers.stop()


def start(word: str) -> ReprocessRun:
    owner = User.objects.get(email=f"{word}@example.org")
    return start_run(Scope("owner", owner_id=owner.pk), force=False, entry_point="command", requested_by=None)


def has_ended(*runs: ReprocessRun) -> bool:
    return not ReprocessRun.objects.filter(pk__in=[run.pk for run in runs], state__in=ReprocessRun.UNFINISHED).exists()


@pytest.mark.parametrize("redis_url", QUEUES, indirect=True)
def test_old_and_new_workers_do_the_runs_of_their_spec_only(
    deploy: Deploy, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    olds, news = ["older", "elder", "aged"], ["newer", "recent", "fresh"]
    owners = {word: make_library(settings, embeddings, word) for word in olds + news}
    deploy(SECOND)
    deploy(THIRD)
    runs = {}
    for old, new in zip(olds, news, strict=True):
        configure_models(settings, embeddings, SECOND)
        runs[old] = start(old)
        configure_models(settings, embeddings, THIRD)
        runs[new] = start(new)
    wait_until(lambda: has_ended(*runs.values()), "the end of all runs")
    for word, model in [*((word, SECOND) for word in olds), *((word, THIRD) for word in news)]:
        assert_complete(runs[word], owners[word], word, model=model)
    for word in olds:
        assert not embeddings.count_documents(THIRD, word)
    for word in news:
        assert not embeddings.count_documents(SECOND, word)


def test_a_run_that_no_worker_can_do_waits_for_one_with_a_reason(
    deploy: Deploy, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    owner = make_library(settings, embeddings, "early")
    deploy(SECOND)
    configure_models(settings, embeddings, THIRD)
    # The first of the updated machines is a web server.
    late = start("early")
    wait_until(lambda: bool(ReprocessRun.objects.get(pk=late.pk).error), "the reason why the run waits")
    late.refresh_from_db()
    assert late.state == ReprocessRun.State.QUEUED
    assert late.error.startswith(f"No worker has the spec of this run (version {late.spec_version}, {late.spec_id[:8]})")
    assert set(late.items.values_list("state", "attempts")) == {(ReprocessItem.State.QUEUED, 0)}

    deploy(THIRD)
    wait_until(lambda: has_ended(late), "the end of the run of the new spec")
    assert_complete(late, owner, "early", model=THIRD)


def test_a_run_whose_workers_were_replaced_midway_continues_when_one_returns(
    deploy: Deploy, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    make_library(settings, embeddings, "halfway")
    old = deploy(SECOND)
    embeddings.hold("halfway")
    run = start("halfway")
    wait_until(embeddings.held.is_set, "the second call of the run")
    old.kill(REPROCESS)
    embeddings.release()
    expire_leases(list_lease_tokens())
    deploy(THIRD)
    wait_until(lambda: bool(ReprocessRun.objects.get(pk=run.pk).error), "the reason why the run waits")
    old.start(REPROCESS)
    wait_until(lambda: has_ended(run), "the end of the run")
    run.refresh_from_db()
    assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, "")
    assert not embeddings.count_documents(THIRD, "halfway")
