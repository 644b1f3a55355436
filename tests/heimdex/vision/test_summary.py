"""A video's summary is made of its own words."""

import pytest

from heimdex.vision.summary import summarize_video


def test_it_tells_what_is_seen_and_said() -> None:
    summary = summarize_video(
        ["Mr. Dashwood had leisure to think about", "the estate of his father.", ""], ["", "", ""], ["cat", "cup", "cat"]
    )
    assert summary == "Likely shows: cat, cup. Mr. Dashwood had leisure to think about the estate of his father."


def test_a_long_video_keeps_its_central_sentences_in_order_within_the_budget() -> None:
    texts = [f"The harbour of sentence number {index} is full of boats again today." for index in range(200)]
    summary = summarize_video([*texts, "Zebra quagga okapi nyala entirely elsewhere."], [], [])
    assert 1500 < len(summary) <= 2000
    assert summary.startswith(texts[0])
    assert "okapi" not in summary
    assert summary == summarize_video([*texts, "Zebra quagga okapi nyala entirely elsewhere."], [], [])


def test_without_speech_and_tags_the_descriptions_stand_in() -> None:
    assert summarize_video(["", ""], ["A beach at dusk.", "A beach at dusk."], []) == "A beach at dusk."
    assert summarize_video([], [], []) == ""


def test_nothing_known_of_a_long_video_is_an_empty_summary() -> None:
    assert summarize_video(["", " \n "] * 500, [""] * 1000, []) == ""


def test_one_endless_sentence_is_cut_and_words_alone_are_kept() -> None:
    endless = "word " * 3000
    summary = summarize_video([endless], [], ["cat"])
    assert summary.startswith("Likely shows: cat. word word")
    assert len(summary) <= 500
    assert summarize_video(["Yes. No. Go."], [], []) == "Yes. No. Go."


def test_many_tags_leave_room_and_repeat_nothing() -> None:
    summary = summarize_video(
        ["A sentence that is long enough to be told."], [], ["cat", "cat", *(f"tag {number}" for number in range(30))]
    )
    assert summary.startswith("Likely shows: cat, tag 0, ")
    assert summary.count("cat") == 1
    assert "tag 7" not in summary
    assert summary.endswith("A sentence that is long enough to be told.")


def test_other_scripts_and_markup_are_text_like_any_other() -> None:
    said = "今日は港について話します。 船はとても大きいです。"
    assert summarize_video([said], [], []) == said
    assert summarize_video(["<script>alert(1)</script> is said here too."], [], []) == "<script>alert(1)</script> is said here too."


def test_a_sentence_across_a_cut_stays_whole() -> None:
    assert summarize_video(["This sentence begins in one scene", "and ends in the next one. Short."], [], []) == (
        "This sentence begins in one scene and ends in the next one."
    )


@pytest.mark.parametrize(("length", "is_kept"), [(25, True), (24, False)])
def test_a_sentence_of_25_characters_is_kept(length: int, is_kept: bool) -> None:
    short = "x" * (length - 1) + "."
    long = "A sentence that is long enough to be kept in a summary."
    assert summarize_video([f"{short} {long}"], [], []) == (f"{short} {long}" if is_kept else long)


def test_a_sentence_is_cut_at_400_characters() -> None:
    assert len(summarize_video(["word " * 200], [], [])) == 400


@pytest.mark.parametrize(("last", "length"), [(198, 2000), (199, 1801)])
def test_sentences_fill_2000_characters(last: int, length: int) -> None:
    """Nine of 199 characters and a space each leave 200 for a last one and its space."""
    sentences = ["x" * 198 + "."] * 9 + ["y" * last + "."]
    assert len(summarize_video([" ".join(sentences)], [], [])) == length - 1


def test_tags_take_their_room_from_the_sentences() -> None:
    sentences = ["x" * 198 + "."] * 10
    assert len(summarize_video([" ".join(sentences)], [], [])) == 1999
    with_tags = summarize_video([" ".join(sentences)], [], ["cat"])
    assert with_tags == "Likely shows: cat. " + " ".join(sentences[:9])


def test_eight_tags_are_named() -> None:
    tags = [f"tag{number}" for number in range(12)]
    assert summarize_video([], [], tags) == f"Likely shows: {', '.join(tags[:8])}."


@pytest.mark.parametrize(("common", "expected"), [(3, "common"), (2, "single")])
def test_a_sentence_of_few_words_needs_more_in_common(common: int, expected: str) -> None:
    """The worth of a sentence is the sum of its words' counts, divided by the number of its words plus three."""
    first = "x" * 398 + "."
    # Four of these leave room for one more.
    fillers = [letter * 398 + "." for letter in "abc"]
    repeated = " ".join(["harbour"] * 49) + " common."
    single = " ".join(f"word{chr(97 + index // 26)}{chr(97 + index % 26)}" for index in range(56)) + " single."
    others = [f"harbour {letter * 30}." for letter in "defghi"][:common]
    summary = summarize_video([" ".join([first, repeated, single])], [], [])
    assert first in summary
    assert len(others) == common
    assert expected
