"""An edited transcript keeps the times of the words that were heard."""

from videos.word_alignment import align_words

HEARD = [(float(place), place + 0.8, word) for place, word in enumerate(["he", "was", "not", "an", "ill", "disposed", "young", "man"])]


def test_words_that_were_heard_keep_their_times() -> None:
    assert align_words(HEARD, "he was not an ill disposed young man") == HEARD
    corrected = align_words(HEARD, "She was not an ill-disposed young man indeed")
    assert [word for _, _, word in corrected] == ["She", "was", "not", "an", "ill-disposed", "young", "man", "indeed"]
    times = {word: (start, end) for start, end, word in corrected}
    assert times["was"] == (1.0, 1.8)
    assert times["young"] == (6.0, 6.8)
    # What replaces words takes their time, and what is added has only what lies between its neighbors.
    assert times["She"] == (0.0, 0.8)
    assert times["ill-disposed"] == (4.0, 5.8)
    assert times["indeed"] == (7.8, 7.8)
    assert [start for start, _, _ in corrected] == sorted(start for start, _, _ in corrected)


def test_another_text_has_no_times() -> None:
    assert align_words(HEARD, "Something entirely different is said here") == []
    assert align_words(HEARD, "") == []
    assert align_words([], "Something after all") == []


def test_a_correction_in_hours_of_speech_is_placed_at_once() -> None:
    heard = [(float(place), place + 0.5, f"word{place}") for place in range(50_000)]
    text = " ".join([*(word for _, _, word in heard[:20_000]), "a", "b", *(word for _, _, word in heard[24_000:])])
    timed = align_words(heard, text)
    assert len(timed) == 46_002
    assert timed[20_000:20_002] == [(20_000.0, 21_999.75, "a"), (21_999.75, 23_999.5, "b")]
