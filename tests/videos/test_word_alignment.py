"""An edited transcript keeps the times of the transcribed words."""

import pytest

from videos.word_alignment import align_words

TIMED = [(float(place), place + 0.8, word) for place, word in enumerate(["he", "was", "not", "an", "ill", "disposed", "young", "man"])]


def test_transcribed_words_keep_their_times() -> None:
    assert align_words(TIMED, "he was not an ill disposed young man") == TIMED
    corrected = align_words(TIMED, "She was not an ill-disposed young man indeed")
    assert [word for _, _, word in corrected] == ["She", "was", "not", "an", "ill-disposed", "young", "man", "indeed"]
    times = {word: (start, end) for start, end, word in corrected}
    assert times["was"] == (1.0, 1.8)
    assert times["young"] == (6.0, 6.8)
    # Replacing words get the time of the replaced ones. Added words get the gap between their neighbors.
    assert times["She"] == (0.0, 0.8)
    assert times["ill-disposed"] == (4.0, 5.8)
    assert times["indeed"] == (7.8, 7.8)
    assert [start for start, _, _ in corrected] == sorted(start for start, _, _ in corrected)


def test_an_unrelated_text_has_no_times() -> None:
    assert align_words(TIMED, "Something entirely different is said here") == []
    assert align_words(TIMED, "") == []
    assert align_words([], "Something after all") == []


def test_a_correction_in_hours_of_speech_is_aligned_quickly() -> None:
    timed_words = [(float(place), place + 0.5, f"word{place}") for place in range(50_000)]
    text = " ".join([*(word for _, _, word in timed_words[:20_000]), "a", "b", *(word for _, _, word in timed_words[24_000:])])
    timed = align_words(timed_words, text)
    assert len(timed) == 46_002
    assert timed[20_000:20_002] == [(20_000.0, 21_999.75, "a"), (21_999.75, 23_999.5, "b")]


@pytest.mark.parametrize(
    ("text", "is_aligned"), [("a b x y", True), ("a b x y z", False), ("a b c x y z", True), ("a b c x y z q w e", False)]
)
def test_a_text_with_half_of_its_words_in_common_is_the_same_speech(text: str, is_aligned: bool) -> None:
    # The ratio is twice the common words by the words of both texts: 4/8, 4/9, 6/10 and 6/13.
    words = [(float(place), place + 0.5, word) for place, word in enumerate("abcd")]
    assert bool(align_words(words, text)) == is_aligned


@pytest.mark.parametrize(("length", "is_aligned"), [(2000, True), (2001, False)])
def test_words_between_the_first_and_the_last_change_are_compared_up_to_2000(length: int, is_aligned: bool) -> None:
    words = [(float(place), place + 0.5, f"word{place}") for place in range(length)]
    inner = [word for _, _, word in words[1:-1]]
    aligned = align_words(words, " ".join(["first", *inner, "last"]))
    assert aligned == ([(0.0, 0.5, "first"), *words[1:-1], (length - 1.0, length - 0.5, "last")] if is_aligned else [])
    shorter = align_words(words, " ".join(["first", *inner[1:], "last"]))
    assert bool(shorter) == is_aligned


def test_frequent_words_are_matched_too() -> None:
    words = [(float(place), place + 0.5, ("yes", "no")[place % 2]) for place in range(300)]
    text = " ".join(["first", *(word for _, _, word in words[1:-1]), "last"])
    assert align_words(words, text)[1:-1] == words[1:-1]


def test_a_word_added_between_overlapping_words_does_not_end_before_it_starts() -> None:
    assert align_words([(0.0, 2.0, "a"), (1.0, 3.0, "b")], "a x b") == [(0.0, 2.0, "a"), (2.0, 2.0, "x"), (1.0, 3.0, "b")]


def test_a_repeated_word_is_matched_once() -> None:
    words = [(0.0, 0.5, "b"), (1.0, 1.5, "a")]
    # The second "a" is new. If the common tail overlapped the common head, it would get the time of the first.
    assert align_words(words, "b a a") == [*words, (1.5, 1.5, "a")]
    assert align_words([*words, (2.0, 2.5, "a")], "b a") == [(0.0, 0.5, "b"), (1.0, 1.5, "a")]


def test_only_the_words_between_the_common_ends_are_compared() -> None:
    words = [(0.0, 0.5, "a"), (1.0, 1.5, "b"), (2.0, 2.5, "c")]
    # The first "c" replaces "b". It is not the last word, which keeps its own time.
    assert align_words(words, "a c x c") == [(0.0, 0.5, "a"), (1.0, 1.25, "c"), (1.25, 1.5, "x"), (2.0, 2.5, "c")]
    assert align_words([*words[:1], (0.6, 0.9, "c"), *words[1:]], "a d c") == [(0.0, 0.5, "a"), (0.6, 1.5, "d"), (2.0, 2.5, "c")]


def test_an_added_word_gets_the_gap_between_its_neighbors() -> None:
    words = [(1.0, 1.5, "a"), (2.0, 2.5, "b")]
    assert align_words(words, "a x b") == [words[0], (1.5, 2.0, "x"), words[1]]
    # Before the first word there is no gap.
    assert align_words(words, "x a b") == [(1.0, 1.0, "x"), *words]


def test_words_that_replace_others_share_their_time_to_the_millisecond() -> None:
    words = [(0.0, 1.0, "a"), (1.0, 2.0, "b"), (2.0, 3.0, "c"), (3.0, 4.0, "d")]
    replaced = [(0.0, 0.333, "x"), (0.333, 0.667, "y"), (0.667, 1.0, "z")]
    assert align_words(words, "x y z b c d") == [*replaced, *words[1:]]


def test_words_of_a_script_without_spaces_keep_their_times() -> None:
    words = [(0.0, 1.0, "今日"), (1.0, 1.5, "は"), (2.0, 3.0, "良い")]
    assert align_words(words, "今日は良い") == words
    # A character is replaced, and the others keep their share of the word's time.
    assert align_words(words, "今夜は良い") == [
        (0.0, 0.5, "今"),
        (0.5, 1.0, "夜"),
        (1.0, 1.5, "は"),
        (2.0, 2.5, "良"),
        (2.5, 3.0, "い"),
    ]
