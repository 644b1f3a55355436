"""Names in a query are read as a person means them."""

from uuid import uuid4

import pytest

from people.mentions import ParsedMentions, parse_mentions

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
def test_what_a_query_says(query: str, reading: ParsedMentions) -> None:
    assert parse_mentions(query, PEOPLE) == reading


def test_an_at_sign_inside_a_name_starts_no_mention_of_its_own() -> None:
    assert parse_mentions("@a @b and @ann", {"a @b": ZOE, "b": ANN_SMITH, "ann": ANN}) == ParsedMentions("and", (ZOE, ANN), ())
