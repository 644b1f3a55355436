"""The texts that are embedded for a scene."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.embedding_texts import (
    SceneSpeech,
    clip_text,
    compose_summary,
    compose_transcripts,
    compose_visual,
    hash_input,
    join_description_and_tags,
)


def build_speech(start: float, end: float, *words: tuple[float, float, str]) -> SceneSpeech:
    return SceneSpeech(start, end, " ".join(word for _, _, word in words), words)


SCENES = (
    build_speech(0, 10, (1, 2, "early"), (8, 9, "before")),
    build_speech(10, 12, (10.5, 11, "short")),
    build_speech(12, 20, (12.5, 13, "after"), (16, 17, "late")),
)


def test_a_short_transcript_includes_words_within_three_seconds() -> None:
    assert list(compose_transcripts(SCENES)) == ["early before short after", "before short after", "short after late"]


def test_a_space_separates_scenes_and_not_words_of_a_script_without_spaces() -> None:
    scenes = [build_speech(0, 10, (7.5, 8, "今日"), (8, 9, "は")), build_speech(10, 12, (10.5, 11, "良い"))]
    assert list(compose_transcripts(scenes))[1] == "今日は 良い"


def test_a_long_transcript_gets_no_context_and_is_cut_to_its_budget() -> None:
    long = SceneSpeech(10, 12, "word " * 2000, [])
    _, composed, _ = compose_transcripts([SCENES[0], long, SCENES[2]])
    assert composed.startswith("word word")
    assert len(composed) <= 4800
    assert "before" not in composed


def test_a_silent_scene_gets_no_words_of_its_neighbors() -> None:
    assert list(compose_transcripts([SCENES[0], build_speech(10, 12), SCENES[2]]))[1] == ""


@st.composite
def spoken_scenes(draw: st.DrawFn) -> list[SceneSpeech]:
    """Draw scenes of a video whose words may overlap boundaries and each other, be in another scene or out of order, or have no length."""
    boundaries = sorted(draw(st.lists(st.integers(0, 40), min_size=2, max_size=9, unique=True)))
    times = st.integers(-2, 84).map(lambda half: half / 2)
    words = st.lists(st.tuples(times, times, st.sampled_from(["one", " two", "three "])), max_size=6)
    return [build_speech(start, end, *draw(words)) for start, end in itertools.pairwise(boundaries)]


@given(spoken_scenes())
def test_exactly_the_words_within_three_seconds_are_included(scenes: list[SceneSpeech]) -> None:
    def list_words_around(others: list[SceneSpeech], start_s: float, end_s: float) -> list[str]:
        return [text.strip() for scene in others for begin, end, text in scene.words if begin < end_s and end > start_s]

    for position, (scene, composed) in enumerate(zip(scenes, compose_transcripts(scenes), strict=True)):
        before = list_words_around(scenes[:position], scene.start_s - 3, scene.start_s)
        after = list_words_around(scenes[position + 1 :], scene.end_s, scene.end_s + 3)
        words = scene.transcript.split()
        assert composed == (" ".join([*before, *words, *after]) if words else "")


def test_visual_and_summary_respect_their_budgets() -> None:
    assert join_description_and_tags("Likely shows: cat.", [{"name": "cat"}, {"name": "sofa"}]) == "Likely shows: cat. cat, sofa"
    assert len(join_description_and_tags("x " * 5000, [])) <= 3200
    assert compose_visual("A slide. slide", "Title\nText") == "A slide. slide Title Text"
    assert compose_visual("", "Title") == "Title"
    assert len(compose_visual("A slide.", "y " * 5000)) <= 3200
    assert len(compose_summary("y " * 5000)) <= 2000


@given(st.text(max_size=300), st.integers(1, 100))
def test_a_clipped_text_is_a_prefix_within_the_limit(text: str, limit: int) -> None:
    cut = clip_text(text, limit)
    assert text.startswith(cut)
    assert len(cut) <= limit
    assert cut or not text


def test_an_empty_input_has_no_hash() -> None:
    assert hash_input("") == hash_input(b"") == ""
    assert hash_input("a") != hash_input("b")


@pytest.mark.parametrize(
    ("compose", "budget"),
    [
        (lambda text: next(compose_transcripts([SceneSpeech(0, 10, text, [])])), 4800),
        (lambda text: join_description_and_tags(text, []), 3200),
        (lambda text: compose_visual(text, ""), 3200),
        (lambda text: compose_visual("", text), 3200),
        (compose_summary, 2000),
    ],
    ids=["transcript", "description", "visual", "on screen", "summary"],
)
def test_a_text_of_exactly_its_budget_is_whole_and_a_longer_one_is_cut(compose: Callable[[str], str], budget: int) -> None:
    assert compose("x" * budget) == "x" * budget
    assert compose("x" * (budget + 1)) == "x" * budget


@pytest.mark.parametrize(("length", "has_context"), [(199, True), (200, False)])
def test_a_transcript_of_200_characters_gets_no_context(length: int, has_context: bool) -> None:
    scenes = [SCENES[0], SceneSpeech(10, 12, "x" * length, []), SCENES[2]]
    assert ("before" in list(compose_transcripts(scenes))[1]) == has_context


@pytest.mark.parametrize(("end_s", "start_s", "expected"), [(7.1, 14.9, "before x after"), (7.0, 15.0, "x")])
def test_context_reaches_three_seconds_and_no_further(end_s: float, start_s: float, expected: str) -> None:
    scenes = [
        build_speech(0, 10, (5, end_s, "before")),
        SceneSpeech(10, 12, "x", [(10.5, 11, "x")]),
        build_speech(12, 30, (start_s, 20, "after")),
    ]
    assert list(compose_transcripts(scenes))[1] == expected


@pytest.mark.parametrize(("space", "length"), [(79, 100), (80, 80), (99, 99)])
def test_a_text_is_cut_at_a_space_only_in_the_last_fifth(space: int, length: int) -> None:
    text = "x" * space + " " + "y" * 200
    assert len(clip_text(text, 100)) == length


def test_a_text_that_fits_is_not_cut_at_its_last_space() -> None:
    text = "x" * 90 + " " + "y" * 9
    assert clip_text(text, 100) == text
    # A space that is the whole text is kept, because an empty text would not be embedded.
    assert clip_text(" ab", 1) == " "
