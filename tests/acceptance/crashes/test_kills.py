"""SIGKILL at every stage of the loop: the run finishes by itself, nothing is lost or duplicated, and at most one batch is repeated."""

from collections.abc import Callable

import pytest
from django.db import transaction
from pytest_django import Settings

from heimdex.accounts.models import User
from heimdex.queue import REPROCESS
from reprocess.actions.runs import cancel_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.conftest import QUEUES
from tests.acceptance.crashes.library import INPUTS, SECOND, make_library
from tests.acceptance.crashes.models import BATCH, CountingServer
from tests.acceptance.crashes.outcome import (
    assert_complete,
    assert_counts_rows,
    expire_leases,
    have_all_ended,
    have_no_open_items,
    list_lease_tokens,
    search_continuously,
)
from tests.acceptance.crashes.stages import STAGES, Stage, Stops, stop_workers
from tests.acceptance.crashes.victims import VICTIMS, count_further_crashes, kill_workers

Until = Callable[[Callable[[], bool], str], None]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


def start_and_stop(stopper: Stops, owners: dict[Stage, User]) -> dict[Stage, ReprocessRun]:
    """Start a run for each owner; each stops at its stage."""
    runs = {}
    with transaction.atomic():
        for stage, owner in owners.items():
            scope = Scope("owner", owner_id=owner.pk)
            runs[stage] = start_run(scope, force=False, entry_point="command", requested_by=None)
            stopper.install(stage, owner.pk, stage.name, runs[stage])
    return runs


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("redis_url", QUEUES, indirect=True)
def test_a_run_survives_a_kill_at_any_stage(
    victim: str, second_model_workers: Workers, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    owners = {stage: make_library(settings, embeddings, stage.name) for stage in STAGES}
    with search_continuously(list(owners.values())) as answers:
        with stop_workers(embeddings) as stopper:
            runs = start_and_stop(stopper, owners)
            wait_until(lambda: stopper.count_stopped() == len(STAGES), "the arrival of a worker at each stage")
            stopped = stopper.find_stopped(second_model_workers.get_pid(REPROCESS))
            assert len(stopped) == len(STAGES)
            leases = list_lease_tokens()
            VICTIMS[victim](second_model_workers, REPROCESS, stopped)
        expire_leases(leases)
        wait_until(lambda: have_all_ended(second_model_workers), "the end of all runs")

    further = count_further_crashes(victim, second_model_workers.restarts)
    for stage, owner in owners.items():
        sent = embeddings.count_documents(SECOND, stage.name)
        assert_complete(runs[stage], owner, stage.name)
        assert len(sent) == INPUTS
        repeated = sum(sent.values()) - INPUTS
        assert stage.repeats <= repeated <= BATCH * (stage.repeats + further), (stage.name, sent)
        assert len(answers[owner].deduplicate()) == 2, stage.name


@pytest.mark.parametrize("redis_url", QUEUES, indirect=True)
def test_a_run_that_is_canceled_while_the_leases_of_killed_workers_last_counts_what_they_have_computed(
    second_model_workers: Workers, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    owners = {stage: make_library(settings, embeddings, stage.name) for stage in STAGES}
    with stop_workers(embeddings) as stopper:
        runs = start_and_stop(stopper, owners)
        wait_until(lambda: stopper.count_stopped() == len(STAGES), "the arrival of a worker at each stage")
        leases = list_lease_tokens()
        kill_workers(second_model_workers, REPROCESS, stopper.find_stopped(second_model_workers.get_pid(REPROCESS)))
    for run in runs.values():
        cancel_run(run.pk)
    # The rescue leaves their items alone until the leases end.
    assert ReprocessItem.objects.filter(lease_token__in=leases, state=ReprocessItem.State.RUNNING).exists()
    expire_leases(leases)
    wait_until(lambda: have_no_open_items(second_model_workers), "the rescue of all items")

    for stage, run in runs.items():
        run.refresh_from_db()
        assert run.state == ReprocessRun.State.CANCELLED, stage.name
        assert set(run.items.values_list("lease_token", "lease_expires_at")) == {(None, None)}, stage.name
        assert_counts_rows(run)
