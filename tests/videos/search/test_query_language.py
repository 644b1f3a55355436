"""Queries are parsed into words, phrases, exclusions, people and filters."""

from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from people.names import NameIndex
from videos.search.parsed_query import ParsedQuery, Term
from videos.search.query_language import MAX_CONDITIONS, MAX_MENTIONS, QuerySyntaxError, parse_query
from videos.search.query_values import get_midnight
from videos.search.typed_names import use_plain_signs

ANN, ANN_SMITH, ZOE = uuid4(), uuid4(), uuid4()
NAMES = NameIndex([("Ann", ANN), ("Ann Smith", ANN_SMITH), ("Zoë O'Neil", ZOE), ("ann's mother", ZOE), ("tag:x -y", ZOE)])


def parse(text: str) -> ParsedQuery:
    return parse_query(text, lambda: NAMES)


@pytest.mark.parametrize(
    ("typed", "parsed"),
    [
        ("a red boat", ParsedQuery("a red boat")),
        ("", ParsedQuery()),
        ('at the "railway  station" at noon', ParsedQuery("at the railway station at noon", required=(Term("railway station"),))),
        ("garden -kitchen", ParsedQuery("garden", excluded=(Term("kitchen", is_phrase=False),))),
        ('garden -"old  kitchen"', ParsedQuery("garden", excluded=(Term("old kitchen"),))),
        ('said:boat seen:"red car"', ParsedQuery("boat red car", required=(Term("boat", False, "said"), Term("red car", True, "seen")))),
        ("-said:boat onscreen:exit", ParsedQuery("exit", (Term("exit", False, "onscreen"),), (Term("boat", False, "said"),))),
        # The words of a title choose videos. They do not rank scenes.
        ("title:harbor boat", ParsedQuery("boat", required=(Term("harbor", False, "title"),))),
        ('tag:dog tag:"two  words" -tag:cat', ParsedQuery(tags=("dog", "two words"), excluded_tags=("cat",))),
        ("lang:de LANG:Korean -lang:pt-BR", ParsedQuery(languages=("de", "ko"), excluded_languages=("pt",))),
        ("after:2026-02-03 before:2027", ParsedQuery(uploaded_from=date(2026, 2, 3), uploaded_before=date(2027, 1, 1))),
        (
            "after:2026-02 after:2025 before:2027-01 before:2027-02",
            ParsedQuery(uploaded_from=date(2026, 2, 1), uploaded_before=date(2027, 1, 1)),
        ),
        ("longer:90 shorter:1:30:00", ParsedQuery(longer_than_s=90, shorter_than_s=5400)),
        ("longer:10m longer:1:30 shorter:1h30m shorter:5400.5s", ParsedQuery(longer_than_s=600, shorter_than_s=5400)),
        ("boat boat -car -car", ParsedQuery("boat boat", excluded=(Term("car", is_phrase=False),))),
        # Quotation marks and minus signs of phones.
        ("“old boat” −car", ParsedQuery("old boat", (Term("old boat"),), (Term("car", is_phrase=False),))),
    ],
)
def test_a_query_is_parsed(typed: str, parsed: ParsedQuery) -> None:
    assert parse(typed) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "12:30",
        "re: budget",
        "https://example.org/?q=a",
        "foo:bar",
        "a - b",
        "well-known",
        'a 5" pipe',
        "C++ --json",
        "-> -",
        "me@ann.example",
    ],
)
def test_other_colons_minus_signs_and_quotation_marks_are_words(text: str) -> None:
    assert parse(text) == ParsedQuery(text)


def test_a_filter_with_a_space_after_its_colon_is_a_word_and_reported() -> None:
    parsed = parse("she said: hello")
    assert parsed.text == "she said: hello"
    assert parsed.notices == ("“said:” was searched as a word, because no value follows it. Write said:value without a space to filter.",)


def test_an_open_phrase_is_words_and_reported() -> None:
    parsed = parse('red boat "at sea -car')
    assert (parsed.text, parsed.excluded, parsed.required) == ("red boat at sea", (Term("car", is_phrase=False),), ())
    assert parsed.notices == ("The quotation mark at character 10 is not closed, so its words were not searched as a phrase.",)


@pytest.mark.parametrize(
    ("typed", "text", "people", "unknown"),
    [
        ("@ann", "", (ANN,), ()),
        ("@Ann Smith in a boat", "in a boat", (ANN_SMITH,), ()),
        ("@Ann Smithers", "Smithers", (ANN,), ()),
        ('laughing @"ann  smith" and @zoë O\'Neil', "laughing and", (ANN_SMITH, ZOE), ()),
        ("@ann @ann @Bob", "Bob", (ANN,), ("Bob",)),
        ('@"Bob Dole" speaks', "Bob Dole speaks", (), ("Bob Dole",)),
        ("@ and @", "@ and @", (), ()),
        ("@ann's mother", "", (ZOE,), ()),
        ("(@ann)", "( )", (ANN,), ()),
        ("@tag:x -y", "", (ZOE,), ()),
        ("@हिन्दी गीत", "हिन्दी गीत", (), ("हिन्दी",)),
        ('"write @ann" now', "write @ann now", (), ()),
    ],
)
def test_people_are_mentioned(typed: str, text: str, people: tuple[UUID, ...], unknown: tuple[str, ...]) -> None:
    parsed = parse(typed)
    assert (parsed.text, parsed.person_ids) == (text, people)
    assert parsed.notices == tuple(f"You have no person named “{name}”. It was searched as a word." for name in unknown)


def test_people_are_excluded() -> None:
    parsed = parse('boat -@Ann Smith -@"zoë o\'neil" -@Bob')
    assert (parsed.text, parsed.excluded_person_ids) == ("boat", (ANN_SMITH, ZOE))
    assert parsed.notices == ("You have no person named “Bob”, so nobody was excluded.",)


def test_one_query_follows_another() -> None:
    parsed = parse("red boat then:1:30 tag:dog -car")
    assert (parsed.text, parsed.within_s) == ("red boat", 90)
    assert parsed.next_query == ParsedQuery(tags=("dog",), excluded=(Term("car", is_phrase=False),))


@pytest.mark.parametrize(
    ("typed", "position", "text"),
    [
        ('-"at sea', 2, "The quotation mark is not closed"),
        ('title:"at sea', 7, "The quotation mark is not closed"),
        ("boat before:yesterday", 6, "'yesterday' is no day. Write a day such as 2026-01-31"),
        ("after:2026-02-30", 1, "'2026-02-30' is not in the calendar"),
        ("after:0001-01-01", 1, "from 1900 to 2999"),
        ("a longer:long", 3, "'long' is no duration. Write a duration such as 90"),
        ("lang:1", 1, "'1' is no language. Write a code such as de"),
        ("-before:2026", 1, "before: cannot be excluded. Use after: instead"),
        ("-longer:90", 1, "longer: cannot be excluded. Use shorter: instead"),
        ("then:30 boat", 1, "Write what comes first before then:"),
        ("boat then:30", 6, "Write what comes next after then:"),
        ("boat then:soon car", 6, "'soon' is no duration"),
        ("a then:3 b then:3 c", 12, "only one then:"),
        ("-a " * MAX_CONDITIONS + "-b", 3 * MAX_CONDITIONS + 1, "at most 30 phrases, exclusions and filters"),
    ],
)
def test_an_error_names_the_position_and_the_fix(typed: str, position: int, text: str) -> None:
    with pytest.raises(QuerySyntaxError, match=f"^Character {position}: ") as refused:
        parse(typed)
    assert text in str(refused.value)
    assert (refused.value.position, refused.value.field) == (position, "q")


def test_thirty_conditions_are_accepted() -> None:
    assert MAX_CONDITIONS == 30
    assert len(parse(" ".join(f"-w{number}" for number in range(30))).excluded) == 30


def test_mentions_beyond_the_limit_are_words() -> None:
    assert MAX_MENTIONS == 20
    names = NameIndex((f"p{number}", UUID(int=number + 1)) for number in range(22))
    parsed = parse_query(" ".join(f"@p{number}" for number in range(22)), lambda: names)
    assert len(parsed.person_ids) == 20
    assert parsed.text == "@p20 @p21"


def test_names_are_loaded_only_for_mentions_and_once() -> None:
    loads = []

    def load() -> NameIndex:
        loads.append(1)
        return NAMES

    parse_query('boat me@example.org "a @ann"', load)
    assert not loads
    parse_query("@ann then:5 @zoë o'neil @bob", load)
    assert len(loads) == 1


def test_a_day_starts_at_midnight_in_the_time_zone_of_the_server() -> None:
    assert get_midnight(date(2026, 7, 1), "Asia/Seoul").isoformat() == "2026-07-01T00:00:00+09:00"
    assert get_midnight(date(2026, 7, 1), "America/New_York").isoformat() == "2026-07-01T00:00:00-04:00"


_PARTS = st.sampled_from(
    [
        '"',
        "-",
        "@",
        "@Ann Smith",
        "tag:",
        "title:",
        "lang:de",
        "before:2026-01-31",
        "after:",
        "longer:1:30",
        "then:",
        "then:30",
        " ",
        "said:",
        "“",
        ":",
        "\n",
        "boat",
    ]
)
QUERIES = st.lists(st.one_of(_PARTS, st.text(max_size=5)), max_size=40).map("".join)


def parse_or_fail(text: str) -> ParsedQuery | QuerySyntaxError:
    try:
        return parse(text)
    except QuerySyntaxError as error:
        return error


def check_query(text: str) -> None:
    """Parse a text, or refuse it with a position inside it; without operators, every word is kept."""
    parsed = parse_or_fail(text)
    if isinstance(parsed, QuerySyntaxError):
        assert 1 <= parsed.position <= len(text)
    elif not any(sign in use_plain_signs(text) for sign in '"-@:'):
        assert parsed == ParsedQuery(" ".join(text.split()))


@settings(max_examples=500, deadline=None)
@given(QUERIES)
def test_any_text_is_parsed_or_refused_with_a_position(text: str) -> None:
    check_query(text)


@pytest.mark.integration
@pytest.mark.timeout(1800)
@settings(max_examples=100_000, deadline=None)
@given(QUERIES)
def test_a_hundred_thousand_texts_are_parsed_or_refused_with_a_position(text: str) -> None:
    check_query(text)


@pytest.mark.parametrize("part", ["@", "@q ", "boat ", '"" ', "tag: ", "-- ", "a@", "((", '"a', "then:", "  "])
def test_long_queries_end(part: str) -> None:
    # With work that grows with the square of the length, this would take hours.
    text = part * (400_000 // len(part))
    assert parse_or_fail(text)
