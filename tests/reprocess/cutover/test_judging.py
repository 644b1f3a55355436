"""A cutover is judged by queries whose scenes are known: better, worse, or no difference."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.cutover.judging import Verdict, compare_gains, explain_loss
from reprocess.models import Cutover
from tests.reprocess.cutover.conftest import get_active_spaces, run
from tests.reprocess.cutover.synonyms import JUDGED
from videos.actions.judgments import judge_scene
from videos.models import Scene


@pytest.fixture
def owner_with_better_model_pending(owner: User, learn_synonyms: None) -> User:
    run(automatic_cutover=False)
    return owner


def test_a_better_model_is_recognized_and_a_worse_one_refused_unless_forced(
    owner_with_better_model_pending: User,
    judgments: Path,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    owner = owner_with_better_model_pending
    before = get_active_spaces(owner)
    call_command("cutover", "--owner", owner.email, "--judgments", str(judgments), "--dry-run")
    assert "6 judged queries: nDCG@10 0.000 → 1.000, +1.000 (95 % of draws: +1.000 to +1.000): better" in capsys.readouterr().out
    assert get_active_spaces(owner) == before
    call_command("cutover", "--owner", owner.email, "--judgments", str(judgments), "--json")
    assert json.loads(capsys.readouterr().out)["report"]["judged"]["verdict"] == Verdict.BETTER

    settings.MODEL_BACKENDS = {
        **settings.MODEL_BACKENDS,
        "text": {"BACKEND": "tests.hashing_embedder.HashingTextEmbedder", "OPTIONS": {"document_prefix": "passage: "}},
    }
    run(automatic_cutover=False)
    better = get_active_spaces(owner)
    message = r"6 judged queries find less: nDCG@10 falls from 1\.000 to 0\.000, by 1\.000 .* HEIMDEX_CUTOVER_MAX_LOSS \(0\.02\)"
    with pytest.raises(CommandError, match=message):
        call_command("cutover", "--owner", owner.email, "--judgments", str(judgments))
    refusal = Cutover.objects.filter(owner=owner).first()
    assert (refusal.state, refusal.report["judged"]["verdict"]) == ("refused", "worse")
    assert get_active_spaces(owner) == better
    call_command("cutover", "--owner", owner.email, "--judgments", str(judgments), "--force")
    assert get_active_spaces(owner) != better


def test_a_query_with_a_video_is_asked_in_it(
    owner_with_better_model_pending: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "judged.jsonl"
    # The boat of the other film would come first in the library.
    path.write_text(json.dumps({"query": "vessel port", "video": "Another", "relevant": {"0": 1}}))
    call_command("cutover", "--owner", owner_with_better_model_pending.email, "--judgments", str(path), "--dry-run")
    assert "1 judged queries: nDCG@10 1.000 → 1.000" in capsys.readouterr().out


def test_a_file_that_does_not_fit_the_library_is_refused_with_its_lines(owner_with_better_model_pending: User, tmp_path: Path) -> None:
    path = tmp_path / "judged.jsonl"
    path.write_text('{"query": "a boat", "relevant": {"No such film#1": 1}}')
    with pytest.raises(CommandError, match="There is no indexed video “No such film”") as refused:
        call_command("cutover", "--owner", owner_with_better_model_pending.email, "--judgments", str(path))
    assert refused.value.returncode == 2


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([(0.5, 0.9)] * 20, Verdict.BETTER),
        ([(0.9, 0.5)] * 20, Verdict.WORSE),
        ([(0.5, 0.5)] * 20, Verdict.NO_DIFFERENCE),
        # The mean falls, but a third of the draws would rise.
        ([(0.2, 1.0)] * 9 + [(1.0, 0.2)] * 11, Verdict.NO_DIFFERENCE),
    ],
)
def test_a_side_is_better_only_if_its_interval_is(gains: list[tuple[float, float]], verdict: Verdict) -> None:
    assert compare_gains(gains).verdict == verdict


def test_few_queries_tell_nothing() -> None:
    assert compare_gains([(1.0, 0.0)] * 5).verdict == Verdict.TOO_FEW
    assert compare_gains([(1.0, 0.0)] * 6).verdict == Verdict.WORSE


def test_a_run_does_not_switch_to_a_model_that_loses_by_the_owners_own_judgments(
    owner_with_better_model_pending: User, settings: Settings
) -> None:
    owner = owner_with_better_model_pending
    run()
    better = get_active_spaces(owner)
    for query, reference in JUDGED.items():
        title, _, index = reference.partition("#")
        judge_scene(owner, query, Scene.objects.get(video__title=title, index=index).pk, fits=True)
    settings.MODEL_BACKENDS = {
        **settings.MODEL_BACKENDS,
        "text": {"BACKEND": "tests.hashing_embedder.HashingTextEmbedder", "OPTIONS": {"document_prefix": "passage: "}},
    }
    run()
    refusal = Cutover.objects.filter(owner=owner).first()
    assert (refusal.state, refusal.report["judged"]["verdict"]) == ("refused", "worse")
    assert "HEIMDEX_CUTOVER_MAX_LOSS" in refusal.reason
    assert get_active_spaces(owner) == better


@pytest.mark.parametrize(("loss", "is_refused"), [(0.021, True), (0.019, False)])
def test_a_small_loss_is_allowed(loss: float, is_refused: bool, settings: Settings) -> None:
    judged = compare_gains([(0.5, 0.5 - loss)] * 20)
    difference = {"mean": judged.difference.mean, "low": judged.difference.low, "high": judged.difference.high}
    report = {"judged": {"queries": 20, "before": 0.5, "after": 0.5 - loss, "difference": difference, "verdict": judged.verdict}}
    assert bool(explain_loss(report)) is is_refused
    settings.CUTOVER_MAX_LOSS = 1.0
    assert explain_loss(report) == ""


def test_reports_without_judged_queries_refuse_nothing() -> None:
    assert explain_loss({"judged": None}) == ""
    # As reports of the first releases are stored.
    assert explain_loss({"queries": 0}) == ""
