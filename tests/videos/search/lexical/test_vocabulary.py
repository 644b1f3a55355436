"""Parts of compounds and corrections of mistyped words come from the owner's words."""

import pytest

from videos.search.lexical.vocabulary import choose_compounds, choose_corrections, choose_parts, list_intact_ends

KNOWN = ["dampfschiff", "dampfschifffahrt", "flusskapitan", "harbor", "kaffeepreis", "preis", "preise", "schiff", "schifffahrt", "tomato"]


@pytest.mark.parametrize(
    ("word", "compounds"),
    [
        ("kapitan", ["flusskapitan"]),
        ("dampfschiff", ["dampfschifffahrt"]),
        ("preis", ["kaffeepreis"]),
        ("schiff", ["dampfschiff", "schifffahrt"]),
        ("ship", []),
    ],
)
def test_compounds_begin_or_end_with_a_word(word: str, compounds: list[str]) -> None:
    assert choose_compounds(word, KNOWN) == compounds


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("dampfschifffahrt", ["dampfschiff", "schifffahrt"]),
        ("dampfschiff", ["schiff"]),
        ("preiskampf", ["preis"]),
        # What is left has fewer than three letters, or the part fewer than four.
        ("preise", []),
        ("schiffe", []),
    ],
)
def test_the_longest_known_parts_are_chosen(word: str, parts: list[str]) -> None:
    assert choose_parts(word, KNOWN) == parts


@pytest.mark.parametrize(
    ("word", "corrections"),
    [
        ("harbot", ["harbor"]),
        ("hrabor", ["harbor"]),
        ("harbour", ["harbor"]),
        ("tomatto", ["tomato"]),
        ("dampschif", ["dampfschiff"]),
        ("harxxr", []),
        ("schiffz", ["schiff"]),
        # In a short word every change gives another word.
        ("priz", []),
        ("0x80", []),
    ],
)
def test_a_mistyped_word_is_corrected_by_one_letter_or_two_in_long_words(word: str, corrections: list[str]) -> None:
    assert choose_corrections(word, KNOWN) == corrections


@pytest.mark.parametrize("typed", ["xarbor", "harbox", "hrabor", "habror", "haror", "harbbor", "harbo", "arbor", "harbor"])
def test_one_wrong_letter_leaves_an_end_intact(typed: str) -> None:
    first, last = list_intact_ends(typed)
    assert "harbor".startswith(first) or "harbor".endswith(last)


def test_two_wrong_letters_leave_an_end_of_a_long_word_intact() -> None:
    assert list_intact_ends("dampschif") == ("dam", "hif")
    assert list_intact_ends("zeppxlon") == ("zep", "lon")
