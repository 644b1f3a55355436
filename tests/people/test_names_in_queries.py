"""Names in a query are read as a person means them."""

from uuid import uuid4

import pytest

from people.names_in_queries import Reading, read_names

ANN, ANN_SMITH, ZOE = uuid4(), uuid4(), uuid4()
PEOPLE = {"ann": ANN, "ann smith": ANN_SMITH, "zoë o'neil": ZOE, "ann's mother": ZOE}


@pytest.mark.parametrize(
    ("query", "reading"),
    [
        ("a boat", Reading("a boat", (), ())),
        ("@ann", Reading("", (ANN,), ())),
        ("@Ann Smith in a boat", Reading("in a boat", (ANN_SMITH,), ())),
        ("@Ann Smithers", Reading("Smithers", (ANN,), ())),
        ('laughing @"ann  smith" and @zoë O\'Neil', Reading("laughing and", (ANN_SMITH, ZOE), ())),
        ("@ann @ann @Bob", Reading("Bob", (ANN,), ("Bob",))),
        ('@"Bob Dole" speaks', Reading("Bob Dole speaks", (), ("Bob Dole",))),
        ("write to me@ann.example", Reading("write to me@ann.example", (), ())),
        ("@ and @", Reading("@ and @", (), ())),
        ("@ann's mother", Reading("", (ZOE,), ())),
    ],
)
def test_what_a_query_says(query: str, reading: Reading) -> None:
    assert read_names(query, PEOPLE) == reading
