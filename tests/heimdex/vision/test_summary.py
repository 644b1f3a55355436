"""A video's summary consists of its own words."""

import pytest

from heimdex.vision.summary import _select_central, summarize_video


def test_a_summary_contains_tags_and_speech() -> None:
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


def test_the_first_sentence_is_kept_whatever_its_words() -> None:
    texts = [
        "Zebra quagga okapi nyala entirely elsewhere.",
        *(f"Sentence {index} of the harbour is full of boats today." for index in range(99)),
    ]
    assert summarize_video(texts, [], []).startswith(texts[0])


def test_without_speech_and_tags_the_descriptions_are_used() -> None:
    assert summarize_video(["", ""], ["A beach at dusk.", "A beach at dusk."], []) == "A beach at dusk."
    assert summarize_video([], [], []) == ""


def test_a_video_without_texts_has_an_empty_summary() -> None:
    assert summarize_video(["", " \n "] * 500, [""] * 1000, []) == ""


def test_an_endless_sentence_is_cut_and_single_words_are_kept() -> None:
    endless = "word " * 3000
    summary = summarize_video([endless], [], ["cat"])
    assert summary.startswith("Likely shows: cat. word word")
    assert len(summary) <= 500
    assert summarize_video(["Yes. No. Go."], [], []) == "Yes. No. Go."


def test_many_tags_leave_room_for_sentences_and_are_not_repeated() -> None:
    summary = summarize_video(
        ["A sentence that is long enough to be told."], [], ["cat", "cat", *(f"tag {number}" for number in range(30))]
    )
    assert summary.startswith("Likely shows: cat, tag 0, ")
    assert summary.count("cat") == 1
    assert "tag 7" not in summary
    assert summary.endswith("A sentence that is long enough to be told.")


def test_other_scripts_and_markup_are_plain_text() -> None:
    text = "今日は港について話します。 船はとても大きいです。"
    assert summarize_video([text], [], []) == text
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


@pytest.mark.parametrize(("last", "length"), [(198, 1999), (199, 1799)])
def test_sentences_fill_2000_characters(last: int, length: int) -> None:
    """Nine sentences of 199 characters with a space each leave 200 characters for the last one and its space."""
    sentences = ["x" * 198 + "."] * 9 + ["y" * last + "."]
    assert len(summarize_video([" ".join(sentences)], [], [])) == length


def test_tags_leave_less_room_for_sentences() -> None:
    sentences = ["x" * 198 + "."] * 10
    assert len(summarize_video([" ".join(sentences)], [], [])) == 1999
    with_tags = summarize_video([" ".join(sentences)], [], ["cat"])
    assert with_tags == "Likely shows: cat. " + " ".join(sentences[:9])


def test_eight_tags_are_named() -> None:
    tags = [f"tag{number}" for number in range(12)]
    assert summarize_video([], [], tags) == f"Likely shows: {', '.join(tags[:8])}."


@pytest.mark.parametrize(("counts", "expected"), [((3, 2, 2), "few"), ((3, 3, 2), "many")])
def test_a_short_sentence_needs_more_common_words(counts: tuple[int, int, int], expected: str) -> None:
    """The score of a sentence is the sum of its words' counts, divided by the number of its words plus three: 5 / 4, and 7 or 8 / 6."""
    first, few, many = "a b c d.", "boat a b c d e f g h i j k l.", "coast sails tower a b c d e."
    words = [*["boat"] * 4, *["coast"] * (counts[0] - 1), *["sails"] * (counts[1] - 1), *["tower"] * (counts[2] - 1)]
    # They are too long to be selected.
    others = [f"{word} " + "a b c d " * 20 for word in words]
    room = len(first) + 1 + len(few) + 1
    assert len(few) == len(many) + 1
    assert _select_central([first, many, few, *others], room) == [first, few if expected == "few" else many]


def test_tags_and_sentences_fill_the_budget_to_the_character() -> None:
    """The tags take 19 characters with a space, four sentences take 401 each, and 377 are left."""
    long = [f"Boats {number} " + "harbour " * 48 + "abcdefg." for number in range(4)]
    assert {len(sentence) for sentence in long} == {400}
    fits, exceeds = "boat " * 74 + "boats.", "boat " * 74 + "boatss."
    assert (len(fits), len(exceeds)) == (376, 377)
    assert summarize_video([*long, fits], [], ["cat"]).endswith(fits)
    assert not summarize_video([*long, exceeds], [], ["cat"]).endswith(exceeds)


def test_the_first_sentence_is_kept_even_when_nothing_else_shares_its_words() -> None:
    first = "Zebra quagga okapi nyala entirely elsewhere."
    others = [f"Boats {number} " + "harbour " * 48 + "abcdefg." for number in range(6)]
    assert summarize_video([first, *others], [], []).startswith(first)
