"""Titles of the parts of a video, from their own words."""

import pytest

from heimdex.vision.titles import Part, title_parts

OTHER = Part("Nobody waits for the ferry.", ())


def test_titles_say_what_a_part_has_and_the_others_have_not() -> None:
    first = Part("The old lighthouse keeper waits. The lighthouse keeper sails. Nobody waits for the ferry.", ())
    second = Part("Nobody waits for the ferry. A vegetable garden grows, and the vegetable garden is green.", ("42", "x" * 70))
    assert title_parts([first, second])[0].startswith("Lighthouse keeper")
    assert title_parts([first, second])[1].startswith("Vegetable garden")
    assert title_parts([Part("", ()), first])[0] == ""


def title(text: str = "", *lines: str) -> str:
    return title_parts([Part(text, lines), OTHER])[0]


@pytest.mark.parametrize(
    ("line", "is_heading"),
    [
        ("Boat", True),
        ("Sea", False),
        ("Harbours " + "x" * 51, True),
        ("Harbours " + "x" * 52, False),
        ("Boat a b c d e f g h", True),
        ("Boat a b c d e f g h i", False),
        ("1234", False),
    ],
)
def test_a_heading_has_4_to_60_letters_and_nine_words_at_most(line: str, is_heading: bool) -> None:
    assert title("Lighthouse keeper", line) == (line if is_heading else "Lighthouse keeper")


def test_of_several_headings_the_first_that_only_this_part_shows_is_taken() -> None:
    parts = [Part("", ("Evening School", "Leaving a harbour", "By the captain")), Part("", ("evening school",))]
    assert title_parts(parts) == ["Leaving a harbour", ""]


def test_a_title_has_eighty_letters() -> None:
    long = "lighthouse" * 5
    assert title(f"{long} {long} {long}") == (f"{long} {long} {long}").capitalize()[:80]


def test_a_phrase_has_three_words() -> None:
    assert title("Old stone lighthouse keeper. Stone lighthouse keeper.") == "Stone lighthouse keeper"
    assert title("Harbour stone lighthouse keeper. " * 2) == "Harbour stone lighthouse, keeper"


@pytest.mark.parametrize(("together", "alone", "expected"), [(5, 7, "Stone lighthouse, Boat"), (6, 9, "Boat, Stone lighthouse")])
def test_a_phrase_scores_35_percent_higher_than_its_words(together: int, alone: int, expected: str) -> None:
    """A word scores the square of the logarithm of its count plus one: (log 8 / log 6)² is 1.347, and (log 10 / log 7)² is 1.400."""
    assert title("Stone lighthouse. " * together + "Boat. " * alone) == expected


def test_the_second_phrase_has_no_word_of_the_first_and_there_is_no_third() -> None:
    text = "Stone lighthouse. " * 5 + "Stone bridge. Fishing village. Ferry terminal."
    assert title(text) == "Stone lighthouse, Fishing village"


def test_words_that_others_use_too_are_worth_less() -> None:
    parts = [Part("Lighthouse. Lighthouse. Ferry. Ferry. Ferry.", ()), Part("Ferry. " * 9, ()), Part("Village.", ())]
    assert title_parts(parts)[0].startswith("Lighthouse")
    # Every part uses it.
    assert title_parts([Part("Ferry.", ()), Part("Ferry.", ())]) == ["Ferry", "Ferry"]


def test_a_phrase_is_written_as_it_is_most_often_and_ends_at_punctuation() -> None:
    assert title("Stone lighthouses. stone lighthouse. stone lighthouse.") == "Stone lighthouse"
    assert title("Stone, lighthouse. Stone, lighthouse.").casefold() == "lighthouse, stone"
    assert title("Stone-lighthouse") == "Stone lighthouse"
