"""`reprocess_embeddings --trial`: it works on the trial in the foreground, and prints what the full run would gain, cost and take."""

import json
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.errors import ModelAway
from heimdex.queue import REPROCESS, count_tasks
from reprocess.models import ReprocessRun
from reprocess.runs.rescue import rescue_runs
from reprocess.steps.scene_text import SceneTextStep
from tests.outages import probe_now
from tests.reprocess.cutover.conftest import get_active_spaces
from tests.reprocess.cutover.synonyms import SynonymEmbedder
from videos.models import SceneEmbedding
from videos.search.recorded_queries import record_query

pytestmark = pytest.mark.django_db

TRY = ("reprocess_embeddings", "--scope", "all", "--trial")


def test_the_report_names_sample_time_cost_and_gain(
    owner: User, learn_synonyms: None, judgments: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_query(owner.pk, "vessel")
    before, waiting = get_active_spaces(owner), count_tasks(REPROCESS).waiting
    call_command("reprocess_embeddings", "--scope", "owner", "--owner-id", owner.email, "--trial", "5", "--judgments", str(judgments))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Tried 5 scenes (6 are stale); search still reads the old vectors"
    assert lines[1].startswith("5 scenes took 0.0 s (0.0")
    assert "1 model calls, 0 tokens, cost 0.0000" in lines[1]
    assert lines[2].startswith("The full run would compute 3 more vectors: ")
    assert lines[3:6] == [
        f"{owner.email}: 5 scenes (6 are stale)",
        "  5 of 5 scenes that judgments name are in the sample",
        "  6 judged queries: nDCG@10 0.000 → 1.000, +1.000 (95 % of draws: +1.000 to +1.000): better",
    ]
    assert "  transcript alone: 6 judged queries: nDCG@10 0.000 → 1.000, +1.000 (95 % of draws: +1.000 to +1.000): better" in lines
    assert any(line.startswith("  1 recorded queries: ") for line in lines)
    assert get_active_spaces(owner) == before
    # No worker was asked to help.
    assert count_tasks(REPROCESS).waiting == waiting


def test_json_has_the_run_and_the_same_report(owner: User, learn_synonyms: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command(*TRY, "4", "--json")
    answer = json.loads(capsys.readouterr().out)
    run = ReprocessRun.objects.get(pk=answer["run_id"])
    assert (answer["state"], answer["error"], answer["report"]) == ("succeeded", "", run.trial.report)
    assert answer["report"]["sampled"] == 4


def test_a_trial_is_listed_and_shown_with_its_report(owner: User, learn_synonyms: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command(*TRY, "4")
    run = ReprocessRun.objects.get(trial__isnull=False)
    capsys.readouterr()
    call_command("reprocess_runs", "list")
    assert f"{run.pk}  succeeded  100 %  trial of all: everything" in capsys.readouterr().out
    call_command("reprocess_runs", "show", str(run.pk))
    assert "  Tried 4 scenes (6 are stale); search still reads the old vectors" in capsys.readouterr().out


def test_nothing_to_try_is_success(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command(*TRY, "4")
    assert capsys.readouterr().out.startswith("Nothing is stale, so there is nothing to try.")
    call_command(*TRY, "4", "--json")
    assert json.loads(capsys.readouterr().out)["state"] == "not needed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*TRY, "0"], "'0' is not a number of scenes. Give one from 1 to 5000"),
        ([*TRY, "5001"], "'5001' is not a number of scenes"),
        ([*TRY, "many"], "'many' is not a number of scenes"),
        ([*TRY, "4", "--force"], "--trial and --force exclude each other"),
        ([*TRY, "4", "--dry-run"], "--trial and --dry-run exclude each other"),
        ([*TRY, "4", "--judgments", "file"], "--judgments belongs to --trial with --scope owner or video"),
        (["reprocess_embeddings", "--scope", "all", "--judgments", "file"], "--judgments belongs to --trial"),
        (["reprocess_embeddings", "--scope", "owner", "--owner-id", "nobody@example.org", "--trial", "4"], "nobody@example.org"),
    ],
)
def test_wrong_usage_is_refused_with_the_fix(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        call_command(*arguments)
    assert refused.value.returncode in (1, 2)
    assert not ReprocessRun.objects.exists()


def test_a_file_that_does_not_fit_the_library_is_refused_with_its_lines(
    owner: User, change_model: Callable[[str], None], tmp_path: Path
) -> None:
    change_model("passage: ")
    path = tmp_path / "judged.jsonl"
    path.write_text('{"query": "a boat", "relevant": {"No such film#1": 1}}')
    arguments = ("reprocess_embeddings", "--scope", "owner", "--owner-id", owner.email, "--trial", "4", "--judgments", str(path))
    with pytest.raises(CommandError, match="There is no indexed video “No such film”") as refused:
        call_command(*arguments)
    assert refused.value.returncode == 2


def test_an_interrupted_trial_is_canceled_and_the_next_continues(
    owner: User, change_model: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change_model("passage: ")
    with (
        mock.patch("tests.hashing_embedder.HashingTextEmbedder.preferred_batch_size", 1),
        mock.patch.object(SceneTextStep, "persist", side_effect=[None, KeyboardInterrupt]),
        pytest.raises(CommandError, match="the same command continues there") as canceled,
    ):
        call_command(*TRY, "6")
    assert canceled.value.returncode == 1
    run = ReprocessRun.objects.get(trial__isnull=False)
    assert run.state == "cancelled"
    # The next command would wait for the lease of the interrupted one to end.
    run.items.update(lease_expires_at=timezone.now())
    kept = SceneEmbedding.objects.filter(run_id=run.pk).count()
    assert kept > 0
    call_command(*TRY, "6", "--json")
    assert json.loads(capsys.readouterr().out)["report"]["sampled"] == 6
    assert SceneEmbedding.objects.filter(run_id=run.pk).count() == kept


def test_the_same_command_continues_a_killed_one(
    owner: User, change_model: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change_model("passage: ")
    with (
        mock.patch("tests.hashing_embedder.HashingTextEmbedder.preferred_batch_size", 1),
        mock.patch.object(SceneTextStep, "persist", side_effect=[None, SystemExit]),
        pytest.raises(SystemExit),
    ):
        call_command(*TRY, "6")
    killed = ReprocessRun.objects.get(trial__isnull=False)
    assert killed.state == "running"
    killed.items.update(lease_expires_at=timezone.now())
    call_command(*TRY, "6", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["run_id"], answer["state"], answer["report"]["computed"]) == (str(killed.pk), "succeeded", 6)


def test_during_an_outage_the_command_waits_and_names_the_reason(
    owner: User, learn_synonyms: None, capsys: pytest.CaptureFixture[str]
) -> None:
    def end_outage(seconds: float) -> None:
        """Do what the workers do meanwhile."""
        if ReprocessRun.objects.get(trial__isnull=False).waits_for:
            answers.stop()
            assert probe_now()
            assert rescue_runs() == 1

    answers = mock.patch.object(SynonymEmbedder, "_encode_documents", side_effect=ModelAway("The model server does not answer."))
    answers.start()
    with mock.patch("reprocess.management.run_output.time.sleep", end_outage):
        call_command(*TRY, "6")
    shown = capsys.readouterr()
    assert "The model server does not answer." in shown.err
    assert "The outage is over; the trial continues." in shown.err
    assert shown.out.startswith("Tried 6 scenes (6 are stale)")


def test_a_limit_of_cost_ends_the_command_with_the_fix(owner: User, change_model: Callable[[str], None]) -> None:
    change_model("passage: ")
    with pytest.raises(CommandError, match="Resume it with a higher limit, or cancel it") as paused:
        call_command(*TRY, "6", "--max-cost", "0")
    assert paused.value.returncode == 1
