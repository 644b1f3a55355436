"""SIGKILL at every stage of the loop: the run ends by itself, nothing is lost or doubled, and at most one batch is computed again."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from time import sleep

import pytest
from django.db import DatabaseError, InterfaceError, connection, transaction
from pytest_django import Settings

from heimdex.accounts.models import User
from heimdex.database.server import EmbeddedServer
from heimdex.queue import REPROCESS
from reprocess.actions.start_run import start_run
from reprocess.models import Cutover, ReprocessItem, ReprocessRun
from reprocess.scope import Scope
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.library import INPUTS, SECOND, Answer, answer, make_library
from tests.acceptance.crashes.models import BATCH, CountingServer
from tests.acceptance.crashes.stages import STAGES, Stage, Stops, stops
from videos.models import ActiveSpace, Scene, SceneEmbedding

Until = Callable[[Callable[[], bool], str], None]

pytestmark = pytest.mark.django_db(transaction=True)


def kill_workers(workers: Workers, stopped: set[int]) -> None:
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)


def kill_cluster(workers: Workers, stopped: set[int]) -> None:
    os.killpg(workers.pid(REPROCESS), signal.SIGKILL)


def kill_postgres(workers: Workers, stopped: set[int]) -> None:
    server = EmbeddedServer(Path(os.environ["HEIMDEX_HOME"]), durable=False)
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    # As the supervisor does, whose own test shows it.
    server.start()
    connection.close()


VICTIMS = {"worker": kill_workers, "cluster": kill_cluster, "postgres": kill_postgres}


@contextmanager
def searching(owners: list[User]) -> Iterator[dict[User, list[Answer]]]:
    """Search for every owner all the time; yield what was found, which is complete at the end of the block."""
    found: dict[User, list[Answer]] = {owner: [answer(owner)] for owner in owners}
    done = threading.Event()

    def keep_searching() -> None:
        while not done.wait(0.1):
            for owner in owners:
                try:
                    found[owner].append(answer(owner))
                except (DatabaseError, InterfaceError):
                    # The test has killed the database.
                    connection.close()
        connection.close()

    thread = threading.Thread(target=keep_searching)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()
        for owner in owners:
            found[owner].append(answer(owner))


def start_and_stop(stopper: Stops, owners: dict[Stage, User]) -> dict[Stage, ReprocessRun]:
    """Start a run for each owner, of which each will stop at its stage."""
    runs = {}
    with transaction.atomic():
        for stage, owner in owners.items():
            scope = Scope("owner", owner_id=owner.pk)
            runs[stage] = start_run(scope, force=False, entrance="command", requested_by=None)
            stopper.install(stage, runs[stage], owner.pk, stage.name)
    return runs


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_run_survives_a_kill_at_any_stage(
    victim: str, second_model_workers: Workers, embeddings: CountingServer, settings: Settings, until: Until
) -> None:
    owners = {stage: make_library(settings, embeddings, stage.name) for stage in STAGES}
    with searching(list(owners.values())) as found:
        with stops(embeddings) as stopper:
            runs = start_and_stop(stopper, owners)
            until(lambda: stopper.reached() == len(STAGES), "the arrival of a worker at each stage")
            stopped = stopper.stopped(second_model_workers.pid(REPROCESS))
            assert len(stopped) == len(STAGES)
            VICTIMS[victim](second_model_workers, stopped)

        def ended() -> bool:
            second_model_workers.restart_dead()
            return not ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED).exists()

        until(ended, "the end of all runs")
        sleep(0.5)

    for stage, owner in owners.items():
        sent = embeddings.documents(SECOND, stage.name)
        assert_complete(runs[stage], owner, stage.name)
        assert len(sent) == INPUTS
        repeated = sum(sent.values()) - INPUTS
        assert (0 < repeated <= BATCH) if stage.repeats else repeated == 0, (stage.name, sent)
        answers = [answered for answered, _ in groupby(found[owner])]
        assert len(answers) == 2, f"{stage.name}: search answered from {len(answers)} sets of vectors, and not from the old and the new"


def assert_complete(run: ReprocessRun, owner: User, word: str) -> None:
    """Check that a run over an owner's library did all of it, once, and that the owner's search reads it."""
    run.refresh_from_db()
    assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, ""), word
    assert set(run.items.values_list("state", "lease_token")) == {(ReprocessItem.State.DONE, None)}, word
    counted = {c.channel: (c.planned, c.done, c.skipped, c.empty, c.failed) for c in run.counters.all()}
    assert counted == {"transcript": (4, 3, 0, 1, 0), "visual": (4, 4, 0, 0, 0), "summary": (4, 4, 0, 0, 0), "clip": (4, 0, 4, 0, 0)}, word
    active = ActiveSpace.objects.filter(owner=owner).select_related("space")
    assert {space.channel: space.space.embedder["model"] for space in active if space.channel != "clip"} == dict.fromkeys(
        ("transcript", "visual", "summary"), SECOND
    ), word
    scenes = set(Scene.objects.filter(owner=owner).values_list("pk", flat=True))
    for space in active:
        rows = Counter(SceneEmbedding.objects.filter(space=space.space, owner=owner).values_list("scene_id", flat=True))
        assert rows == dict.fromkeys(scenes, 1), word
    assert Cutover.objects.get(owner=owner).state == Cutover.State.SWITCHED, word
