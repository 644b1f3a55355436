"""Names of people, and mentions of them in queries."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from heimdex.errors import Refused
from people.names import (
    MAX_ALIASES,
    MAX_NAME_LENGTH,
    NameIndex,
    clean_aliases,
    clean_name,
    deduplicate_aliases,
)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Ada \t Lovelace\n", "Ada Lovelace"),
        ("Ada\u00a0\u200b Lovelace", "Ada Lovelace"),
        ("7 of 9", "7 of 9"),
        # Persian, with a zero-width non-joiner inside the name.
        ("می\u200cآید", "می\u200cآید"),
    ],
)
def test_a_name_keeps_its_words_and_loses_invisible_characters(typed: str, stored: str) -> None:
    assert clean_name(typed) == stored


@pytest.mark.parametrize("typed", ["", "  ", "?!", "\u200c\u200d", "\u200b"])
def test_a_name_needs_a_letter_or_digit(typed: str) -> None:
    with pytest.raises(Refused, match="at least one letter or digit") as refused:
        clean_name(typed, "aliases")
    assert refused.value.field == "aliases"


@pytest.mark.parametrize("typed", ["@Ann", " @ Ann", 'Dwayne "The Rock" Johnson', '"Ann', "“Ann”", "＠Ann"])
def test_a_name_can_be_mentioned_in_a_search(typed: str) -> None:
    with pytest.raises(Refused, match="cannot start with @ or contain") as refused:
        clean_name(typed, "aliases")
    assert refused.value.field == "aliases"
    assert clean_name("Ann@home") == "Ann@home"


def test_a_name_is_found_in_any_unicode_form() -> None:
    zoe, hindi = uuid4(), uuid4()
    names = NameIndex([(clean_name("Zoe\u0308 A\u2212B"), zoe), ("हिन्दी", hindi), ("Zo", uuid4()), ("हिन्", uuid4())])
    for typed in ("Zoë A-B", "zoe\u0308 A-B", "Zoë A\u2212B"):
        assert names.find(typed) == zoe
    assert names.find_longest("@Zoe\u0308 A-B!", 1) == (zoe, 9)
    # A mark belongs to the letter before it, so that no name ends there.
    assert names.find_longest("@हिन्दी", 1) == (hindi, 7)
    assert names.find_longest("@Zoe\u0308", 1) is None


def test_a_name_may_have_200_characters() -> None:
    assert MAX_NAME_LENGTH == 200
    assert clean_name("a" * 200) == "a" * 200
    with pytest.raises(Refused, match="at most 200 characters"):
        clean_name("a" * 201)


def test_a_person_may_have_20_other_names() -> None:
    assert MAX_ALIASES == 20
    names = [f"Name {number}" for number in range(21)]
    assert clean_aliases(names[:20], "Ada") == names[:20]
    # Duplicates do not count.
    assert clean_aliases([*names[:20], "name 3", "ada"], "Ada") == names[:20]
    with pytest.raises(Refused, match="at most 20 other names") as refused:
        clean_aliases(names, "Ada")
    assert refused.value.field == "aliases"


def test_aliases_differ_by_more_than_capitals() -> None:
    assert deduplicate_aliases(["Countess", "ADA", "COUNTESS", "Straße", "strasse"], "Ada") == ["Countess", "Straße"]


ANN, ANN_SMITH, ZOE = uuid4(), uuid4(), uuid4()
NAMES = NameIndex([("Ann", ANN), ("Ann Smith", ANN_SMITH), ("ann", ZOE), ("İlker", ZOE), ("a @b", ZOE)])


def test_a_name_is_looked_up_in_any_capitalization_and_the_first_person_wins() -> None:
    assert (NAMES.find("ANN"), NAMES.find("ann smith"), NAMES.find("Bob"), NAMES.find("")) == (ANN, ANN_SMITH, None, None)


@pytest.mark.parametrize(
    ("text", "start", "match"),
    [
        ("ann smith in a boat", 0, (ANN_SMITH, 9)),
        ("see ann Smithers", 4, (ANN, 7)),
        ("annette", 0, None),
        ("ann's", 0, (ANN, 3)),
        ("İlker sails", 0, (ZOE, 5)),
        ("a @b and", 0, (ZOE, 4)),
        ("", 0, None),
    ],
)
def test_the_longest_name_that_ends_with_a_word_is_matched(text: str, start: int, match: tuple[UUID, int] | None) -> None:
    assert NAMES.find_longest(text, start) == match


class CountingDict(dict[str, UUID]):
    """Counts lookups."""

    lookups = 0

    def get(self, name: str, default: Any = None) -> Any:
        self.lookups += 1
        return super().get(name, default)


@pytest.mark.parametrize("names", [10, 1000, 100_000])
def test_the_work_of_a_lookup_grows_with_the_lengths_of_names_and_not_with_their_number(
    names: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = NameIndex(
        [(f"name {number:06} q", ANN) for number in range(names)] + [("x" * length, ANN) for length in range(1, MAX_NAME_LENGTH + 1)]
    )
    counting = CountingDict(index._people)
    monkeypatch.setattr(index, "_people", counting)
    index.find_longest("q " * 1000, 0)
    assert counting.lookups <= MAX_NAME_LENGTH
