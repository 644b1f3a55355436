"""Parts of compounds and corrections of mistyped words come from the owner's words."""

import pytest

from videos.search.lexical.vocabulary import choose_compounds, choose_corrections, choose_parts

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
