"""What a scene's vectors stand for."""

from hypothesis import given
from hypothesis import strategies as st

from videos.composition import SceneSpeech, clip_text, compose_seen, compose_summary, compose_transcript, compose_visual, input_hash


def speech(start: float, end: float, *words: tuple[float, float, str]) -> SceneSpeech:
    return SceneSpeech(start, end, " ".join(word for _, _, word in words), words)


SCENES = (
    speech(0, 10, (1, 2, "early"), (8, 9, "before")),
    speech(10, 12, (10.5, 11, "short")),
    speech(12, 20, (12.5, 13, "after"), (16, 17, "late")),
)


def test_a_short_transcript_takes_in_what_is_said_within_three_seconds() -> None:
    assert compose_transcript(SCENES, 1) == "before short after"


def test_a_long_transcript_stands_alone_and_is_cut_to_its_budget() -> None:
    long = SceneSpeech(10, 12, "word " * 2000, [])
    composed = compose_transcript([SCENES[0], long, SCENES[2]], 1)
    assert composed.startswith("word word")
    assert len(composed) <= 4800
    assert "before" not in composed


def test_silence_does_not_borrow_its_neighbours_words() -> None:
    assert compose_transcript([SCENES[0], speech(10, 12), SCENES[2]], 1) == ""


def test_visual_and_summary_keep_to_their_budgets() -> None:
    assert compose_seen("Likely shows: cat.", [{"name": "cat"}, {"name": "sofa"}]) == "Likely shows: cat. cat, sofa"
    assert len(compose_seen("x " * 5000, [])) <= 3200
    assert compose_visual("A slide. slide", "Title\nText") == "A slide. slide Title Text"
    assert compose_visual("", "Title") == "Title"
    assert len(compose_visual("A slide.", "y " * 5000)) <= 3200
    assert len(compose_summary("y " * 5000)) <= 2000


@given(st.text(max_size=300), st.integers(1, 100))
def test_a_cut_text_is_a_beginning_within_the_limit(text: str, limit: int) -> None:
    cut = clip_text(text, limit)
    assert text.startswith(cut)
    assert len(cut) <= limit
    assert cut or not text


def test_nothing_has_no_hash() -> None:
    assert input_hash("") == input_hash(b"") == ""
    assert input_hash("a") != input_hash("b")
