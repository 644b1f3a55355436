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

SAID = "It was a bright cold day in April, and the clocks were striking thirteen. Winston Smith slipped quickly through the glass doors."


def timed(text: str, start_s: float = 0.0, each_s: float = 0.3) -> list[Word]:
    return [(start_s + each_s * place, start_s + each_s * (place + 0.8), word) for place, word in enumerate(text.split())]


def spoken(text: str, start_s: float = 0.0, end_s: float = 60.0) -> SceneSpeech:
    return SceneSpeech(start_s, end_s, text, timed(text, start_s))


def test_words_are_broken_into_two_short_lines_at_their_times() -> None:
    found = build_captions([spoken(SAID)])
    assert [caption.lines for caption in found] == [
        ("It was a bright cold day in April, and the", "clocks were striking thirteen."),
        ("Winston Smith slipped quickly through the", "glass doors."),
    ]
    assert (found[0].start_s, found[1].start_s) == (0.0, pytest.approx(14 * 0.3))


def test_a_pause_and_a_cut_begin_a_new_caption() -> None:
    paused = SceneSpeech(0, 20, "Yes. No.", [(1.0, 1.3, "Yes."), (9.0, 9.4, "No.")])
    found = build_captions([paused, spoken("Who?", 20, 30)])
    assert [(caption.start_s, caption.end_s, caption.lines) for caption in found] == [
        (1.0, 2.0, ("Yes.",)),
        (9.0, 10.0, ("No.",)),
        (20.0, 21.0, ("Who?",)),
    ]


def test_a_text_without_times_shares_its_scenes_span() -> None:
    found = build_captions([SceneSpeech(10, 20, SAID, [])])
    assert " ".join(line for caption in found for line in caption.lines) == SAID
    assert (found[0].start_s, found[-1].end_s) == (10, 20)
    assert all(before.end_s == after.start_s for before, after in pairwise(found))
    assert build_captions([SceneSpeech(0, 5, "", [])]) == []


def test_wide_characters_count_twice_and_endless_words_are_broken() -> None:
    found = build_captions([SceneSpeech(0, 10, "日" * 60, []), SceneSpeech(10, 20, "x", [(10.0, 12.0, "x" * 100)])])
    assert [line for caption in found for line in caption.lines] == ["日" * 21, "日" * 21, "日" * 18, "x" * 42, "x" * 42, "x" * 16]


WORD = st.tuples(st.floats(-1, 50), st.floats(0, 9), st.text(min_size=1, max_size=100))


@given(st.lists(WORD, max_size=40), st.text(max_size=300))
def test_whatever_is_said_captions_fit_and_follow_each_other(words: list[tuple[float, float, str]], text: str) -> None:
    placed = sorted((start, start + lasts, word) for start, lasts, word in words)
    found = build_captions([SceneSpeech(0, 60, "said", placed), SceneSpeech(60, 90, text, [])])
    assert all(1 <= len(caption.lines) <= MAX_LINES for caption in found)
    assert all(measure_width(line) <= LINE_WIDTH and line.strip() and "\n" not in line for caption in found for line in caption.lines)
    assert all(0 <= caption.start_s < caption.end_s for caption in found)
    assert all(before.end_s <= after.start_s for before, after in pairwise(found))
    for file in (format_subrip(found), format_webvtt(found)):
        # As many blocks as captions: nothing that was said reads as the begin of another.
        assert len(re.findall(r"^\d\d+:\d\d:\d\d[.,]\d{3} --> \d\d+:\d\d:\d\d[.,]\d{3}$", file, re.MULTILINE)) == len(found)
        assert file.count("-->") == len(found)


def test_files_look_as_players_expect() -> None:
    found = [Caption(0.0, 1.5, ("<b>Fish & chips</b>", "{\\an8}--> x")), Caption(3725.0406, 3727.0, ("Late.",))]
    assert format_subrip(found) == (
        "1\n00:00:00,000 --> 00:00:01,500\n‹b›Fish & chips‹/b›\n(\\an8)--› x\n\n2\n01:02:05,041 --> 01:02:07,000\nLate.\n"
    )
    assert format_webvtt(found) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n&lt;b&gt;Fish &amp; chips&lt;/b&gt;\n{\\an8}--&gt; x\n"
        "\n01:02:05.041 --> 01:02:07.000\nLate.\n"
    )
    assert (format_subrip([]), format_webvtt([])) == ("", "WEBVTT\n")


def test_a_caption_lasts_as_long_as_a_reader_needs_and_no_longer_than_one_reads() -> None:
    slow = SceneSpeech(0, 60, SAID, timed(SAID, each_s=2.0))
    assert all(1.0 <= caption.end_s - caption.start_s <= MAX_DURATION_S for caption in build_captions([slow]))


def words_from(*words: tuple[float, float, str]) -> list[Caption]:
    return build_captions([SceneSpeech(0, 60, " ".join(text for _, _, text in words), list(words))])


@pytest.mark.parametrize(("width", "lines"), [(21, 1), (22, 2)])
def test_a_line_holds_42_characters(width: int, lines: int) -> None:
    (caption,) = words_from((0, 1, "x" * 20), (1, 2, "y" * width))
    assert len(caption.lines) == lines


def test_a_caption_has_two_lines() -> None:
    captions = words_from(*((place, place + 1.0, "x" * 30) for place in range(3)))
    assert [len(caption.lines) for caption in captions] == [2, 1]


@pytest.mark.parametrize(("end_s", "count"), [(7.0, 1), (7.01, 2)])
def test_a_caption_lasts_seven_seconds_at_most(end_s: float, count: int) -> None:
    assert len(words_from(*((place, place + 1.0, "yes") for place in range(6)), (6.0, end_s, "no"))) == count


@pytest.mark.parametrize(("start_s", "count"), [(2.5, 1), (2.51, 2)])
def test_a_pause_of_more_than_one_and_a_half_seconds_starts_a_caption(start_s: float, count: int) -> None:
    assert len(words_from((0, 1, "yes"), (start_s, 3, "no"))) == count


@pytest.mark.parametrize(("end_s", "shown_s"), [(0.2, 1.0), (1.0, 1.0), (1.1, 1.1)])
def test_a_caption_is_shown_for_a_second_at_least(end_s: float, shown_s: float) -> None:
    (caption,) = words_from((0.0, end_s, "Yes."))
    assert caption.end_s - caption.start_s == shown_s


def test_captions_of_words_that_start_together_start_a_twentieth_of_a_second_apart() -> None:
    captions = words_from(*((2.0, 3.0, "x" * 42) for _ in range(6)))
    assert [caption.start_s for caption in captions] == pytest.approx([2.0, 2.05, 2.1])


def test_a_sentence_that_fills_two_lines_ends_a_caption_and_a_shorter_one_does_not() -> None:
    assert [caption.lines for caption in words_from((0, 1, "x" * 30), (1, 2, "y" * 10 + "."), (2, 3, "z"))] == [
        ("x" * 30 + " " + "y" * 10 + ".", "z")
    ]
    assert [caption.lines for caption in words_from((0, 1, "x" * 30), (1, 2, "y" * 20 + "."), (2, 3, "z"))] == [
        ("x" * 30, "y" * 20 + "."),
        ("z",),
    ]
