"""`manage.py evaluate` measures what search answers, in the library and in a video, and prints the same bytes each time."""

import json
from dataclasses import astuple
from io import StringIO
from pathlib import Path

import pytest
import pytrec_eval
from django.core.management import CommandError, call_command
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video
from videos.evaluation.measures import measure_ranking
from videos.evaluation.rankings import rank_query
from videos.models import RecordedQuery, Scene
from videos.search.service import SearchRequest, search

POSTGRES = {"BACKEND": "videos.search.lexical.postgres.PostgresLexical"}
JUDGED = """{"query": "boat harbour", "class": "speech", "relevant": {"Harbour diary#0": 2}}
{"query": "railway budget", "class": "speech", "video": "Harbour diary", "relevant": {"2": 1, "@1.5": 0}}
{"query": "object 3", "class": "object", "relevant": {"Harbour diary@16": 1, "Other film#3": 2}}
"""


@pytest.fixture
def owner() -> User:
    """Return the owner of two embedded videos. Another owner has a video of the same name."""
    owner = make_user()
    make_video(owner, title="Harbour diary")
    make_video(owner, ("A kitchen in spring.", "A harbour in winter.", "", ""), title="Other film")
    make_video(make_user("other@example.org"), title="Harbour diary")
    run_worker(start_run(Scope("all"), force=False, entry_point="command", requested_by=None).pk)
    return owner


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    path = tmp_path / "judged.jsonl"
    path.write_text(JUDGED)
    return path


def _call(*args: object) -> str:
    out = StringIO()
    call_command("evaluate", *map(str, args), stdout=out)
    return out.getvalue()


def _fail(*args: object) -> CommandError:
    with pytest.raises(CommandError) as raised:
        _call(*args)
    return raised.value


@pytest.mark.django_db
def test_the_report_is_the_same_each_time_and_nothing_is_recorded(owner: User, judged: Path) -> None:
    first = _call(judged, "--owner", owner.email)
    assert first == _call(judged, "--owner", owner.email)
    assert _call(judged, "--owner", owner.email, "--json") == _call(judged, "--owner", owner.email, "--json")
    assert "In the whole library, lexical backend default" in first
    assert "In the video of each query, lexical backend default" in first
    assert not RecordedQuery.objects.exists()


@pytest.mark.django_db
def test_each_mode_and_channel_is_measured_by_class(owner: User, judged: Path) -> None:
    report = json.loads(_call(judged, "--owner", owner.email, "--json"))
    rows = {(row["place"], row["class"], row.get("mode") or row["channel"], row.get("minus", "")): row for row in report["rows"]}
    assert report["queries"] == 3
    assert {key[1] for key in rows if key[0] == "library"} == {"all", "speech", "object"}
    assert {key[2] for key in rows} >= {"fusion", "words", "vectors", "lexical", "transcript"}
    speech = rows["library", "speech", "lexical", ""]
    assert (speech["queries"], speech["r_1"]) == (2, {"mean": 1.0, "low": 1.0, "high": 1.0})
    assert rows["video", "all", "words", ""]["queries"] == 1
    best = next(key[3] for key in rows if key[0] == "library" and key[1] == "speech" and key[3])
    difference = rows["library", "speech", "fusion", best]["ndcg_10"]["mean"]
    expected = rows["library", "speech", "fusion", ""]["ndcg_10"]["mean"] - rows["library", "speech", best, ""]["ndcg_10"]["mean"]
    assert difference == pytest.approx(expected)


@pytest.mark.django_db
def test_fusion_is_the_answer_of_search_and_channels_are_its_reasons(owner: User) -> None:
    ranked = rank_query(owner, "a boat in the kitchen")
    answer = search(owner, SearchRequest("a boat in the kitchen", limit=100, per_video=100))
    assert ranked.by_mode["fusion"] == [hit.scene.pk for hit in answer.hits]
    for channel, ranking in ranked.by_channel.items():
        ranks = {hit.scene.pk: match.rank for hit in answer.hits for match in hit.matches if match.channel == channel}
        assert set(ranking) == set(ranks)
        assert [ranks[scene] for scene in ranking] == sorted(ranks.values())


@pytest.mark.django_db
def test_only_the_chosen_rankings_are_shown(owner: User, judged: Path) -> None:
    report = json.loads(_call(judged, "--owner", owner.email, "--json", "--mode", "words", "--channel", "transcript"))
    assert {row.get("mode") or row["channel"] for row in report["rows"]} == {"words", "transcript"}
    error = _fail(judged, "--owner", owner.email, "--channel", "smell")
    assert error.returncode == 2
    assert "lexical" in str(error)


@pytest.mark.django_db
def test_each_lexical_backend_has_its_own_rows(owner: User, judged: Path, settings: Settings) -> None:
    settings.LEXICAL_BACKENDS = {"default": POSTGRES, "other": POSTGRES}
    report = json.loads(_call(judged, "--owner", owner.email, "--json"))
    assert [row["backend"] for row in report["rows"]] == sorted(row["backend"] for row in report["rows"])
    assert {row["backend"] for row in report["rows"]} == {"default", "other"}
    only = json.loads(_call(judged, "--owner", owner.email, "--json", "--backend", "other"))
    assert {row["backend"] for row in only["rows"]} == {"other"}
    assert "default, other" in str(_fail(judged, "--owner", owner.email, "--backend", "third"))


@pytest.mark.django_db
def test_references_to_absent_scenes_are_named_by_line(owner: User, tmp_path: Path) -> None:
    make_video(owner, title="Other film")
    theirs = Scene.objects.exclude(owner=owner).first()
    mine = Scene.objects.filter(owner=owner).first()
    lines = [
        {"query": "a", "relevant": {str(mine.pk): 1}},
        {"query": "a", "relevant": {str(theirs.pk): 1}},
        {"query": "a", "relevant": {"Harbour diary#4": 1}},
        {"query": "a", "relevant": {"Harbour diary@20.5": 1}},
        {"query": "a", "relevant": {"Other film#0": 1}},
        {"query": "a", "video": "No film", "relevant": {"0": 1}},
        {"query": "a", "relevant": {"3": 1}},
        {"query": "a", "video": "Harbour diary", "relevant": {"@nan": 1}},
        {"query": "a", "relevant": {f"{mine.video_id}#-1": 1}},
    ]
    path = tmp_path / "judged.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    error = _fail(path, "--owner", owner.email)
    assert error.returncode == 2
    assert [line.split(":")[0].strip() for line in str(error).splitlines()[1:]] == [f"line {number}" for number in range(2, 10)]


@pytest.mark.parametrize("args", [[], ["--owner", "owner@example.org", "--run", "run"]])
def test_either_a_library_or_a_run_is_measured(judged: Path, args: list[str]) -> None:
    assert _fail(judged, *args).returncode == 2


def test_a_run_is_measured_as_by_trec_eval(tmp_path: Path) -> None:
    qrels = {"t1": {"a": 2, "b": 1, "c": 0}, "t2": {"a": 1}, "t3": {"z": 1}}
    run = {"t1": {"c": 0.9, "b": 0.9, "a": 0.1}, "t2": {"x": 3.0, "a": 2.0}}
    files = {name: tmp_path / name for name in ("qrels", "run", "topics")}
    files["qrels"].write_text("".join(f"{topic} 0 {scene} {grade}\n" for topic, scenes in qrels.items() for scene, grade in scenes.items()))
    files["run"].write_text(
        "".join(f"{topic} Q0 {scene} 0 {score} x\n" for topic, scenes in run.items() for scene, score in scenes.items())
    )
    files["topics"].write_text("t1\tone\nt2\ttwo\nt3\tthree\n")
    report = json.loads(_call(files["qrels"], "--topics", files["topics"], "--run", files["run"], "--json"))
    names = {"ndcg_10": "ndcg_cut_10", "r_1": "success_1", "r_10": "success_10", "mrr": "recip_rank"}
    reference = pytrec_eval.RelevanceEvaluator(qrels, set(names.values())).evaluate(run)
    (row,) = report["rows"]
    for name, theirs in names.items():
        # The query without a ranking counts 0; pytrec_eval leaves it out.
        assert row[name]["mean"] == pytest.approx(sum(result[theirs] for result in reference.values()) / 3, abs=1e-9)
    assert astuple(measure_ranking(["c", "b", "a"], qrels["t1"]))[3] == 0.5
    assert "The run" in _call(files["qrels"], "--topics", files["topics"], "--run", files["run"])


@pytest.mark.django_db
def test_a_bad_file_is_wrong_usage(owner: User, judged: Path) -> None:
    judged.write_text(JUDGED + "{\n")
    error = _fail(judged, "--owner", owner.email)
    assert error.returncode == 2
    assert "line 4: This is not JSON" in str(error)
    assert _fail(judged, "--owner", "nobody@example.org").returncode == 2


@pytest.mark.django_db
def test_a_query_that_cannot_be_searched_is_named(owner: User, judged: Path) -> None:
    line = {"id": "broken", "query": 'boat tag:"', "relevant": json.loads(JUDGED.splitlines()[0])["relevant"]}
    judged.write_text(json.dumps(line) + "\n")
    error = _fail(judged, "--owner", owner.email)
    assert error.returncode == 2
    assert str(error) == (
        'The query broken (boat tag:") cannot be searched. Character 10: The quotation mark is not closed. Close it, or remove it. '
        "Correct or remove it."
    )
