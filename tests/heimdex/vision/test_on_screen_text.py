"""The rules for lines of on-screen text at their exact thresholds. No model is loaded."""

import pytest

from heimdex.vision.ocr import TextLine, compose_on_screen_text, is_same_line, normalize_line


def compose(*lines: tuple[str, float]) -> list[str]:
    return compose_on_screen_text([[TextLine(text, confidence) for text, confidence in lines]]).splitlines()


@pytest.mark.parametrize(("confidence", "lines"), [(0.8, ["Harbour"]), (0.799, [])])
def test_a_line_needs_a_confidence_of_four_fifths(confidence: float, lines: list[str]) -> None:
    assert compose(("Harbour", confidence)) == lines


@pytest.mark.parametrize(("text", "lines"), [("A", []), ("- A -", []), ("A1", ["A1"]), ("- AB -", ["- AB -"])])
def test_a_line_needs_two_letters_or_digits(text: str, lines: list[str]) -> None:
    assert compose((text, 0.9)) == lines


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("abcdefghij" * 2, "abcdefghij" + "abcdefgxyz", True),
        ("abcdefghij" * 2, "abcdefghij" + "abcdefwxyz", False),
        ("Harbour", "HARBOUR", True),
        ("Room 12", "Room 13", False),
        ("1 a", "a", False),
    ],
)
def test_readings_with_a_similarity_of_85_percent_are_one_line(first: str, second: str, same: bool) -> None:
    """17 of 20 letters are a ratio of exactly 0.85."""
    assert is_same_line(first, second) is same


def test_long_lines_of_few_letters_are_compared_too() -> None:
    """difflib would ignore the letters of a line of 200 and more by default."""
    assert is_same_line("x" + "ab" * 150, "y" + "ab" * 150)


def test_the_most_confident_reading_replaces_the_first_and_keeps_its_place() -> None:
    assert compose(("Harbonr view", 0.85), ("Captain", 0.9), ("Harbour view", 0.95)) == ["Harbour view", "Captain"]
    assert compose(("Harbour view", 0.9), ("Harbonr view", 0.9)) == ["Harbour view"]


def test_text_of_exactly_4000_characters_is_kept_and_more_is_cut_after_a_line() -> None:
    whole = compose_on_screen_text([[TextLine("a" * 1999, 0.9), TextLine("b" * 2000, 0.9)]])
    assert len(whole) == 4000
    cut = compose_on_screen_text([[TextLine("a" * 1999, 0.9), TextLine("b" * 2001, 0.9)]])
    assert cut == "a" * 1999
    assert compose_on_screen_text([[TextLine("a" * 4000, 0.9), TextLine("b" * 10, 0.9)]]) == "a" * 4000
    assert compose_on_screen_text([[TextLine("a" * 4001, 0.9)]]) == "a" * 4000


def test_a_line_is_normalized_and_keeps_its_confidence() -> None:
    assert normalize_line(TextLine(" ﬁsh\u200b\tand\x00 chips ", 0.7)) == TextLine("fish and chips", 0.7)


def test_a_doubtful_line_does_not_hide_the_next() -> None:
    assert compose(("Doubtful", 0.5), ("Harbour", 0.9)) == ["Harbour"]


def test_a_line_that_ends_at_exactly_4000_characters_is_kept() -> None:
    first = TextLine("a" * 1000, 0.9)
    for length, kept in ((2999, 2), (3000, 1)):
        text = compose_on_screen_text([[first, TextLine("b" * length, 0.9), TextLine("c" * 10, 0.9)]])
        assert len(text.splitlines()) == kept
