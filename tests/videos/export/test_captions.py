"""Captions are short, timed by the words, and safe as files."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.embedding_texts import SceneSpeech, Word
from videos.export.captions import (
    LINE_WIDTH,
    MAX_DURATION_S,
    MAX_LINES,
    Caption,
    build_captions,
    format_subrip,
    format_webvtt,
    measure_width,
)

TEXT = "It was a bright cold day in April, and the clocks were striking thirteen. Winston Smith slipped quickly through the glass doors."


def time_words(text: str, start_s: float = 0.0, each_s: float = 0.3) -> list[Word]:
    return [(start_s + each_s * place, start_s + each_s * (place + 0.8), word) for place, word in enumerate(text.split())]


def build_speech(text: str, start_s: float = 0.0, end_s: float = 60.0) -> SceneSpeech:
    return SceneSpeech(start_s, end_s, text, time_words(text, start_s))


def test_words_are_divided_into_captions_of_two_lines() -> None:
    captions = build_captions([build_speech(TEXT)])
    assert [caption.lines for caption in captions] == [
        ("It was a bright cold day in April, and the", "clocks were striking thirteen."),
        ("Winston Smith slipped quickly through the", "glass doors."),
    ]
    assert (captions[0].start_s, captions[1].start_s) == (0.0, pytest.approx(14 * 0.3))


def test_a_pause_and_a_cut_start_a_new_caption() -> None:
    paused = SceneSpeech(0, 20, "Yes. No.", [(1.0, 1.3, "Yes."), (9.0, 9.4, "No.")])
    captions = build_captions([paused, build_speech("Who?", 20, 30)])
    assert [(caption.start_s, caption.end_s, caption.lines) for caption in captions] == [
        (1.0, 2.0, ("Yes.",)),
        (9.0, 10.0, ("No.",)),
        (20.0, 21.0, ("Who?",)),
    ]


def test_captions_without_word_times_share_the_scenes_duration() -> None:
    captions = build_captions([SceneSpeech(10, 20, TEXT, [])])
    assert " ".join(line for caption in captions for line in caption.lines) == TEXT
    assert (captions[0].start_s, captions[-1].end_s) == (10, 20)
    assert all(before.end_s == after.start_s for before, after in pairwise(captions))
    assert build_captions([SceneSpeech(0, 5, "", [])]) == []


def test_wide_characters_count_twice_and_endless_words_are_split() -> None:
    captions = build_captions([SceneSpeech(0, 10, "日" * 60, []), SceneSpeech(10, 20, "x", [(10.0, 12.0, "x" * 100)])])
    assert [line for caption in captions for line in caption.lines] == ["日" * 21, "日" * 21, "日" * 18, "x" * 42, "x" * 42, "x" * 16]


WORD = st.tuples(st.floats(-1, 50), st.floats(0, 9), st.text(min_size=1, max_size=100))


@given(st.lists(WORD, max_size=40), st.text(max_size=300))
def test_captions_of_any_words_fit_and_do_not_overlap(words: list[tuple[float, float, str]], text: str) -> None:
    placed = sorted((start, start + lasts, word) for start, lasts, word in words)
    captions = build_captions([SceneSpeech(0, 60, "said", placed), SceneSpeech(60, 90, text, [])])
    assert all(1 <= len(caption.lines) <= MAX_LINES for caption in captions)
    assert all(measure_width(line) <= LINE_WIDTH and line.strip() and "\n" not in line for caption in captions for line in caption.lines)
    assert all(0 <= caption.start_s < caption.end_s for caption in captions)
    assert all(before.end_s <= after.start_s for before, after in pairwise(captions))
    for file in (format_subrip(captions), format_webvtt(captions)):
        # As many blocks as captions: no speech looks like the start of another block.
        assert len(re.findall(r"^\d\d+:\d\d:\d\d[.,]\d{3} --> \d\d+:\d\d:\d\d[.,]\d{3}$", file, re.MULTILINE)) == len(captions)
        assert file.count("-->") == len(captions)


def test_files_have_the_format_that_players_expect() -> None:
    captions = [Caption(0.0, 1.5, ("<b>Fish & chips</b>", "{\\an8}--> x")), Caption(3725.0406, 3727.0, ("Late.",))]
    assert format_subrip(captions) == (
        "1\n00:00:00,000 --> 00:00:01,500\n‹b›Fish & chips‹/b›\n(\\an8)--› x\n\n2\n01:02:05,041 --> 01:02:07,000\nLate.\n"
    )
    assert format_webvtt(captions) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n&lt;b&gt;Fish &amp; chips&lt;/b&gt;\n{\\an8}--&gt; x\n"
        "\n01:02:05.041 --> 01:02:07.000\nLate.\n"
    )
    assert (format_subrip([]), format_webvtt([])) == ("", "WEBVTT\n")


def test_a_caption_lasts_between_one_and_seven_seconds() -> None:
    slow = SceneSpeech(0, 60, TEXT, time_words(TEXT, each_s=2.0))
    assert all(1.0 <= caption.end_s - caption.start_s <= MAX_DURATION_S for caption in build_captions([slow]))


def caption_words(*words: tuple[float, float, str]) -> list[Caption]:
    return build_captions([SceneSpeech(0, 60, " ".join(text for _, _, text in words), list(words))])


@pytest.mark.parametrize(("width", "lines"), [(21, 1), (22, 2)])
def test_a_line_has_at_most_42_characters(width: int, lines: int) -> None:
    (caption,) = caption_words((0, 1, "x" * 20), (1, 2, "y" * width))
    assert len(caption.lines) == lines


def test_a_caption_has_two_lines() -> None:
    captions = caption_words(*((place, place + 1.0, "x" * 30) for place in range(3)))
    assert [len(caption.lines) for caption in captions] == [2, 1]


@pytest.mark.parametrize(("end_s", "count"), [(7.0, 1), (7.01, 2)])
def test_a_caption_lasts_seven_seconds_at_most(end_s: float, count: int) -> None:
    assert len(caption_words(*((place, place + 1.0, "yes") for place in range(6)), (6.0, end_s, "no"))) == count


@pytest.mark.parametrize(("start_s", "count"), [(2.5, 1), (2.51, 2)])
def test_a_pause_of_more_than_one_and_a_half_seconds_starts_a_caption(start_s: float, count: int) -> None:
    assert len(caption_words((0, 1, "yes"), (start_s, 3, "no"))) == count


@pytest.mark.parametrize(("end_s", "shown_s"), [(0.2, 1.0), (1.0, 1.0), (1.1, 1.1)])
def test_a_caption_is_shown_for_a_second_at_least(end_s: float, shown_s: float) -> None:
    (caption,) = caption_words((0.0, end_s, "Yes."))
    assert caption.end_s - caption.start_s == shown_s


def test_captions_of_words_that_start_together_start_a_twentieth_of_a_second_apart() -> None:
    captions = caption_words(*((2.0, 3.0, "x" * 42) for _ in range(6)))
    assert [caption.start_s for caption in captions] == pytest.approx([2.0, 2.05, 2.1])


def test_a_sentence_that_fills_two_lines_ends_a_caption_and_a_shorter_one_does_not() -> None:
    assert [caption.lines for caption in caption_words((0, 1, "x" * 30), (1, 2, "y" * 10 + "."), (2, 3, "z"))] == [
        ("x" * 30 + " " + "y" * 10 + ".", "z")
    ]
    assert [caption.lines for caption in caption_words((0, 1, "x" * 30), (1, 2, "y" * 20 + "."), (2, 3, "z"))] == [
        ("x" * 30, "y" * 20 + "."),
        ("z",),
    ]


def test_captions_without_word_times_get_time_in_proportion_to_their_length() -> None:
    captions = build_captions([SceneSpeech(10, 22, " ".join(letter * 40 for letter in "abcdef"), [])])
    assert [(caption.start_s, caption.end_s) for caption in captions] == [(10, 14), (14, 18), (18, 22)]
    short = build_captions([SceneSpeech(10, 22, " ".join(["a" * 40, "b" * 40, "c" * 40]), [])])
    assert [(caption.start_s, caption.end_s) for caption in short] == [(10, 18), (18, 22)]


def test_the_pieces_of_a_long_word_share_its_time() -> None:
    captions = caption_words((10.0, 19.0, "x" * 42 * 6))
    assert [(caption.start_s, caption.end_s) for caption in captions] == [(10.0, 13.0), (13.0, 16.0), (16.0, 19.0)]


def test_words_of_a_script_without_spaces_stand_together() -> None:
    words = [(0.0, 0.5, "今日"), (0.5, 1.0, "は"), (1.0, 1.5, "良い"), (1.5, 2.0, "天気")]
    assert [caption.lines for caption in build_captions([SceneSpeech(0, 10, "今日は良い天気", words)])] == [("今日は良い天気",)]
