"""The benchmarks of search quality read the judged sets, load them as libraries, and say why they cannot run."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import calibration, hard_conditions, ranking_quality
from bench.__main__ import run_group
from bench.benchmark import BenchmarkUnavailable, Figure, Goal, Group, Part, compute_smallest_margin, summarize_rounds
from bench.hard_conditions import draw_exclusions, draw_phrases, has_phrase, split_words
from bench.judged_library import Libraries
from bench.judged_sets import find_folder, load_meetings, load_mixed, load_reels, load_sentences, load_unanswerable
from bench.reel_scenes import hash_sources
from heimdex.environment import QUALITY_SETS
from videos.models import ActiveSpace, Scene, SceneEmbedding

FILES: dict[str, list[dict[str, Any]]] = {
    "A_meetings": [
        {"meeting": "M1", "scenes": [[0, 5, "The budget of the railway station grows."], [5, 9, "We planted tomatoes."]]},
        {"meeting": "M2", "scenes": [[0, 5, "The harbour freezes in winter."]]},
    ],
    "A_queries": [
        {"meeting": "M1", "kind": "topic", "query": "railway budget", "relevant": {"0": 2}},
        {"meeting": "M2", "kind": "question", "query": "harbour in winter", "relevant": {"0": 1}},
    ],
    "B_reels": [{"film": "reel-1.mp4", "items": [{"file": "1.jpg", "start": 0, "end": 2.5}, {"file": "2.jpg", "start": 2.5, "end": 5}]}],
    "B_queries": [{"kind": "class", "query": "cat", "relevant": {"reel-1.mp4#1": 2}}],
    "C_scenes": [
        {"scene": "s2", "film": "f", "index": 1, "start": 20, "end": 40, "said": "More rain.", "picture": "1.jpg"},
        {"scene": "s1", "film": "f", "index": 0, "start": 0, "end": 20, "said": "It rains.", "picture": "2.jpg"},
    ],
    "C_queries": [{"query": "rain and a cat", "relevant": {"s1": 2}}],
    "D_sentences": [{"item": 7, **{code: {"scene": f"Satz {code}", "query": f"Frage {code}"} for code in ("en", "de")}}],
    "E_nothing_fits": [{"library": "A", "query": "sourdough", "kind": "far"}],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of small judged sets."""
    for name, rows in FILES.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    monkeypatch.setenv(QUALITY_SETS, str(tmp_path))
    return tmp_path


def test_without_judged_sets_the_reason_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(QUALITY_SETS, str(tmp_path / "absent"))
    with pytest.raises(BenchmarkUnavailable, match=f"There are no judged sets in .*absent. Set {QUALITY_SETS} to the folder"):
        find_folder()


def test_a_set_that_is_missing_is_named(folder: Path) -> None:
    (folder / "B_reels.jsonl").unlink()
    with pytest.raises(BenchmarkUnavailable, match=r"B_reels\.jsonl cannot be read: No such file"):
        load_reels(folder)


def test_all_sets_are_read(folder: Path) -> None:
    assert find_folder() == folder
    meetings, mixed = load_meetings(folder), load_mixed(folder)
    assert [len(film.scenes) for film in meetings.films] == [2, 1]
    assert (meetings.queries[1].grades, meetings.queries[1].film) == ({("M2", 0): 1}, "M2")
    assert load_reels(folder).queries[0].grades == {("reel-1.mp4", 1): 2}
    (film,) = mixed.films
    assert [(scene.text, scene.speech_s, scene.shows) for scene in film.scenes] == [
        ("It rains.", (7, 12), ("reel-1.mp4", 1)),
        ("More rain.", (27, 32), ("reel-1.mp4", 0)),
    ]
    assert mixed.queries[0].grades == {("f", 0): 2}
    sentences = load_sentences(folder, "en", "de")
    assert (sentences.films[0].scenes[0].text, sentences.queries[0].text) == ("Satz en", "Frage de")
    assert load_unanswerable(folder)[0].library == "A"


@pytest.mark.django_db
def test_a_set_becomes_a_library_that_is_embedded_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.judged_library.CACHE", tmp_path / "cache")
    calls = []
    for _ in range(2):
        libraries = Libraries(folder)
        libraries.add("A", load_meetings(folder))
        libraries.embed()
        owner = libraries.get_owner("A")
        assert set(ActiveSpace.objects.filter(owner=owner).values_list("channel", flat=True)) >= {"transcript", "summary", "clip"}
        rows = SceneEmbedding.objects.filter(owner=owner, space__channel="transcript", state="embedded")
        assert rows.count() == 3
        # Vectors of earlier runs belong to no run of this database.
        calls.append(rows.filter(run_id__isnull=False).count())
        measured = ranking_quality.evaluate(libraries, "A", load_meetings(folder))
        assert ranking_quality.get_fusion(measured).estimates["r_1"].mean == 1.0
        assert ranking_quality.get_fusion(measured, "video").estimates["r_1"].mean == 1.0
        assert [part.goal for part in ranking_quality.list_gains("A", measured, -0.01)] == [-0.01, -0.01]
        owner.delete()
    assert calls == [3, 0]
    assert not Scene.objects.exists()


@pytest.mark.django_db
def test_ids_depend_on_owner_and_title_so_that_ties_stay_in_order(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for _ in range(2):
        libraries = Libraries(folder)
        libraries.add("A", load_meetings(folder))
        ids.append(sorted(Scene.objects.values_list("pk", flat=True)))
        libraries.get_owner("A").delete()
    assert ids[0] == ids[1]


def test_what_the_product_cannot_do_yet_is_not_ok() -> None:
    (result,) = run_group(calibration.GROUP)
    assert (result.goal.id, result.value, result.is_ok) == ("Q9", None, False)
    assert "not a probability" in result.why


def test_a_goal_with_parts_has_the_smallest_margin_and_lists_them() -> None:
    parts = [Part("nDCG", 0.5, 0.4, interval=(0.41234567, 0.6)), Part("share", 0.5, 0.4, at_least=False), Part("R@1", 0.4, 0.4)]
    goal = Goal("Q1", "ours", "theirs", 0.0)
    (result,) = summarize_rounds([goal], [{"Q1": compute_smallest_margin(parts)}])
    assert result.value == pytest.approx(-0.1)
    data = result.as_data()
    assert [part["ok"] for part in data["parts"]] == [True, False, True]
    assert data["parts"][0]["interval"] == [0.4123, 0.6]
    (shown,) = run_group(Group((goal,), lambda: iter([{"Q1": Figure(0.0, tuple(parts))}])))
    assert shown.is_ok


def test_phrases_and_exclusions_are_drawn_from_the_scenes() -> None:
    texts = ["The railway station needs budget planning", "railway tickets, station closed", "budget only", "railway, again railway"] * 2
    assert set(draw_phrases(texts)) == {"railway station", "budget planning", "railway tickets", "station closed"}
    drawn = draw_exclusions(texts)
    assert drawn == draw_exclusions(texts)
    for pair in drawn:
        words = [split_words(text) for text in texts]
        assert any(pair.word in scene and pair.excluded in scene for scene in words)
        assert any(pair.word in scene and pair.excluded not in scene for scene in words)


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("At the Railway station.", True),
        ("two railways stations", True),
        ("the station railway", False),
        ("railway and station", False),
        ("railroad station", False),
        ("", False),
    ],
)
def test_a_phrase_is_its_words_in_order(text: str, is_there: bool) -> None:
    assert has_phrase(text, "railway station") == is_there


def test_the_cache_notices_changed_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.reel_scenes.CHECKOUT", tmp_path)
    (tmp_path / "code").mkdir()
    hashes = []
    for text in ("a = 1", "a = 2"):
        (tmp_path / "code" / "module.py").write_text(text)
        hashes.append(hash_sources(["code"]))
    assert hashes[0] != hashes[1]
    assert hard_conditions.GROUP.goals[0].id == "Q7"
