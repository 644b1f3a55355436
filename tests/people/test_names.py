"""Names of people, and mentions of them in queries."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heimdex.errors import Refused
from people.names import (
    MAX_ALIASES,
    MAX_NAME_LENGTH,
    ParsedMentions,
    clean_aliases,
    clean_name,
    deduplicate_aliases,
    parse_mentions,
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


@pytest.mark.parametrize("typed", ["@Ann", " @ Ann", 'Dwayne "The Rock" Johnson', '"Ann'])
def test_a_name_can_be_mentioned_in_a_search(typed: str) -> None:
    with pytest.raises(Refused, match="cannot start with @ or contain") as refused:
        clean_name(typed, "aliases")
    assert refused.value.field == "aliases"
    assert clean_name("Ann@home") == "Ann@home"


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
PEOPLE = {"ann": ANN, "ann smith": ANN_SMITH, "zoë o'neil": ZOE, "ann's mother": ZOE}


@pytest.mark.parametrize(
    ("query", "reading"),
    [
        ("a boat", ParsedMentions("a boat", (), ())),
        ("@ann", ParsedMentions("", (ANN,), ())),
        ("@Ann Smith in a boat", ParsedMentions("in a boat", (ANN_SMITH,), ())),
        ("@Ann Smithers", ParsedMentions("Smithers", (ANN,), ())),
        ('laughing @"ann  smith" and @zoë O\'Neil', ParsedMentions("laughing and", (ANN_SMITH, ZOE), ())),
        ("@ann @ann @Bob", ParsedMentions("Bob", (ANN,), ("Bob",))),
        ('@"Bob Dole" speaks', ParsedMentions("Bob Dole speaks", (), ("Bob Dole",))),
        ("write to me@ann.example", ParsedMentions("write to me@ann.example", (), ())),
        ("@ and @", ParsedMentions("@ and @", (), ())),
        ("@ann's mother", ParsedMentions("", (ZOE,), ())),
    ],
)
def test_mentions_are_parsed(query: str, reading: ParsedMentions) -> None:
    assert parse_mentions(query, PEOPLE) == reading


def test_an_at_sign_inside_a_name_starts_no_mention() -> None:
    assert parse_mentions("@a @b and @ann", {"a @b": ZOE, "b": ANN_SMITH, "ann": ANN}) == ParsedMentions("and", (ZOE, ANN), ())


def test_names_whose_lower_case_is_longer_are_mentioned() -> None:
    assert parse_mentions("@İlker sails", {"i̇lker": ANN}) == ParsedMentions("sails", (ANN,), ())


def test_mentions_beyond_the_limit_are_words() -> None:
    people = {f"p{number}": UUID(int=number) for number in range(22)}
    parsed = parse_mentions(" ".join(f"@{name}" for name in people), people)
    assert len(parsed.person_ids) == 20
    assert parsed.text == "@p20 @p21"
    parsed = parse_mentions(" ".join(f'@"{name}"' for name in people), people)
    assert len(parsed.person_ids) == 20
    assert parsed.text == '@"p20" @"p21"'

    parsed = parse_mentions(" ".join(f'@"nobody {number}"' for number in range(1000)), people)
    assert len(parsed.unknown) == 20


class CountingNames(dict[str, UUID]):
    """Counts lookups."""

    lookups = 0

    def __contains__(self, name: object) -> bool:
        self.lookups += 1
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.lookups += 1
        return super().get(name, default)


@settings(max_examples=20, deadline=None)
@given(mentions=st.integers(1, 2000), names=st.sampled_from([10, 1000, 100_000]), quoted=st.booleans())
def test_the_work_grows_with_the_query_and_not_with_the_number_of_names(mentions: int, names: int, quoted: bool) -> None:
    people = CountingNames({f"name {number:06} q": UUID(int=number) for number in range(names)})
    for length in range(1, MAX_NAME_LENGTH + 1):
        people["x" * length] = ANN
    mention = '@"q" ' if quoted else "@q "
    parse_mentions(mention * mentions, people)
    assert people.lookups <= mentions * MAX_NAME_LENGTH
    # The same name is known or unknown once, so that the limit of mentions does not end this query.
    assert people.lookups >= mentions
