"""A trial that is canceled, killed, or meets an outage loses nothing, and makes no model look worse than it is."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.errors import ModelAway, WrongState
from reprocess.actions.runs import cancel_run, resume_run
from reprocess.runs.rescue import rescue_runs
from reprocess.runs.worker import run_worker
from reprocess.steps.scene_text import SceneTextStep
from tests.hashing_embedder import HashingTextEmbedder
from tests.outages import probe_now
from tests.reprocess.cutover.synonyms import SynonymEmbedder
from tests.reprocess.trials import get_report, judge_all, start, try_change, work
from videos.models import SceneEmbedding

pytestmark = pytest.mark.django_db


def small_batches() -> AbstractContextManager[object]:
    """Let models take one input at a time."""
    return mock.patch.object(HashingTextEmbedder, "preferred_batch_size", 1)


def test_a_canceled_trial_keeps_what_it_has_computed_and_the_next_continues(owner: User, change_model: Callable[[str], None]) -> None:
    change_model("passage: ")
    trial = start(size=6)
    cancel_after = mock.patch.object(SceneTextStep, "persist", side_effect=lambda *args: cancel_run(trial.pk))
    with small_batches(), cancel_after, suppress(WrongState):
        run_worker(trial.pk)
    trial.refresh_from_db()
    assert (trial.state, trial.trial.report) == ("cancelled", None)
    computed = SceneEmbedding.objects.filter(run_id=trial.pk).count()
    assert 0 < computed < 18
    report = try_change(size=6)
    assert (report["sampled"], report["stale"]) == (6, 6)
    assert SceneEmbedding.objects.filter(run_id=trial.pk).count() == computed


def test_another_worker_ends_the_trial_of_a_killed_one(owner: User, change_model: Callable[[str], None]) -> None:
    change_model("passage: ")
    trial = start(size=6)
    with small_batches(), mock.patch.object(SceneTextStep, "persist", side_effect=[None, SystemExit]), pytest.raises(SystemExit):
        run_worker(trial.pk)
    assert SceneEmbedding.objects.filter(run_id=trial.pk).exists()
    trial.items.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert rescue_runs() == 1
    ended = work(trial)
    assert (ended.state, get_report(ended)["computed"]) == ("succeeded", 6)


def test_a_trial_waits_for_a_model_server_and_continues(owner: User, learn_synonyms: None) -> None:
    judge_all(owner)
    trial = start(size=6)
    with mock.patch.object(SynonymEmbedder, "_encode_documents", side_effect=ModelAway("The model server does not answer.")):
        waiting = work(trial)
    assert (waiting.state, waiting.waits_for, waiting.trial.report) == ("paused", "model", None)
    assert "The model server does not answer." in waiting.error
    assert probe_now()
    assert rescue_runs() == 1
    ended = work(trial)
    assert (ended.state, get_report(ended)["owners"][0]["change"]["judged"]["verdict"]) == ("succeeded", "better")


def test_a_model_server_that_is_away_during_the_comparison_makes_no_model_look_worse(owner: User, learn_synonyms: None) -> None:
    judge_all(owner)
    trial = start(size=6)
    away = ModelAway("The model server does not answer.")
    with mock.patch("reprocess.cutover.sampled.require_servers", side_effect=away):
        waiting = work(trial)
    assert (waiting.state, waiting.waits_for, waiting.trial.report) == ("paused", "model", None)
    assert probe_now()
    rescue_runs()
    assert get_report(work(trial))["computed"] == 6


def test_a_trial_pauses_at_its_cost_limit(owner: User, change_model: Callable[[str], None]) -> None:
    change_model("passage: ")
    trial = start(max_cost=Decimal(0))
    assert (work(trial).state, work(trial).trial.report) == ("paused", None)
    resume_run(trial.pk, Decimal(1))
    assert work(trial).state == "succeeded"
