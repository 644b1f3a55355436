"""Parse a query: words, "phrases", exclusions, people and filters. Pure, and linear in the length of the query.

docs/reference/search.md describes the language.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar
from unicodedata import category
from uuid import UUID

import regex

from heimdex.errors import Refused
from videos.search.parsed_query import TERM_FIELDS, ParsedQuery, QueryParts, Term
from videos.search.query_values import parse_day, parse_duration, parse_language
from videos.search.typed_names import use_plain_signs

Value = TypeVar("Value")
LANGUAGE, TAG, BEFORE, AFTER, LONGER, SHORTER, THEN = "lang", "tag", "before", "after", "longer", "shorter", "then"
# Each of them costs the database a lookup.
MAX_CONDITIONS = 30
MAX_MENTIONS = 20

UNKNOWN_NAME = "You have no person named “{name}”. It was searched as a word."
UNKNOWN_EXCLUDED = "You have no person named “{name}”, so nobody was excluded."
NO_VALUE = "“{field}:” was searched as a word, because no value follows it. Write {field}:value without a space to filter."
NOT_CLOSED = "The quotation mark is not closed. Close it, or remove it."
NO_PHRASE = "The quotation mark at character {position} is not closed, so its words were not searched as a phrase."
NO_EXCLUSION = "{field}: cannot be excluded. Use {other}: instead."
TOO_MANY = f"A query can have at most {MAX_CONDITIONS} phrases, exclusions and filters. Remove those from here on."
TWICE = "A query can have only one then:. Remove this one."
NOTHING_BEFORE = "Write what comes first before then:."
NOTHING_AFTER = "Write what comes next after then:."

_MINUS = re.compile(r"-(?=[^\s-])")
_SPACES = re.compile(r"\s*")
_MENTION = re.compile(r'@(?=[\w"])')
_FIELD = re.compile(r"([a-z]{3,8}):", re.IGNORECASE)
_WORD_END = re.compile(r'\s|(?<!\w)@(?=[\w"])')
# The signs of vowels in Indic scripts and Thai are part of words here, unlike in `re`.
_MENTIONED_WORD = regex.compile(r"\w+")
_FIELDS = frozenset({*TERM_FIELDS, LANGUAGE, TAG, BEFORE, AFTER, LONGER, SHORTER, THEN})
_OPPOSITES = {BEFORE: AFTER, AFTER: BEFORE, LONGER: SHORTER, SHORTER: LONGER}


class QuerySyntaxError(Refused):
    """A query cannot be parsed. `position` counts its characters from 1."""

    def __init__(self, text: str, position: int) -> None:
        super().__init__(f"Character {position}: {text}", "q")
        self.position = position


class NameLookup(Protocol):
    """The names of an owner's people."""

    def find(self, name: str) -> UUID | None:
        """Return the person with exactly this name, in any capitalization."""

    def find_longest(self, text: str, start: int) -> tuple[UUID, int] | None:
        """Return the person with the longest name that starts at a position of a text and ends with a word, and where it ends."""


class NoNames:
    """The names of nobody."""

    def find(self, name: str) -> UUID | None:
        """Return None."""
        return None

    def find_longest(self, text: str, start: int) -> tuple[UUID, int] | None:
        """Return None."""
        return None


def normalize_query(text: str) -> str:
    """Return a query with one space between words. Queries that are equal then are the same query."""
    return " ".join(text.split())


def parse_query(text: str, load_names: Callable[[], NameLookup]) -> ParsedQuery:
    """Parse a query. `load_names` is called at most once, if a person is mentioned. Raise QuerySyntaxError with the position."""
    return _Parser(use_plain_signs(text), load_names).parse()


class _Parser:
    """Reads a query from left to right. Every part moves `_position` beyond itself."""

    def __init__(self, text: str, load_names: Callable[[], NameLookup]) -> None:
        self._text = text
        self._position = 0
        self._load_names = load_names
        self._names: NameLookup | None = None
        self._mentions = 0
        self._conditions = 0
        # Where known people are mentioned.
        self._people: list[tuple[int, int]] = []

    def parse(self) -> ParsedQuery:
        return replace(self._parse_parts(), without_names=self._remove_people())

    def _parse_parts(self) -> ParsedQuery:
        first = self._parse_part()
        if self._position >= len(self._text):
            return first.build()
        if first.build().is_empty:
            raise self._fail(NOTHING_BEFORE)
        start = self._position
        within_s = self._read_then()
        second = self._parse_part()
        if self._position < len(self._text):
            raise self._fail(TWICE)
        if second.build().is_empty:
            raise QuerySyntaxError(NOTHING_AFTER, start + 1)
        return first.build(within_s, second.build())

    def _parse_part(self) -> QueryParts:
        """Read up to the end or the next `then:`."""
        part = QueryParts()
        while self._skip_spaces():
            start = self._position
            field = self._match_field(start)
            if field == THEN:
                return part
            is_excluded = bool(_MINUS.match(self._text, start))
            if is_excluded:
                self._position += 1
                field = self._match_field(self._position)
            if _MENTION.match(self._text, self._position) and self._mentions < MAX_MENTIONS:
                self._read_mention(part, is_excluded, start)
            elif field and field != THEN:
                self._read_filter(part, field, is_excluded, start)
            elif self._text[self._position] == '"':
                self._read_phrase(part, is_excluded, start)
            else:
                self._read_word(part, is_excluded, start)
        return part

    def _skip_spaces(self) -> bool:
        self._position = _SPACES.match(self._text, self._position).end()  # type: ignore[union-attr]
        return self._position < len(self._text)

    def _match_field(self, position: int) -> str:
        """Return the filter that starts here with its value, or an empty string."""
        match = _FIELD.match(self._text, position)
        name = match[1].lower() if match else ""
        if match is None or name not in _FIELDS or match.end() >= len(self._text) or self._text[match.end()].isspace():
            return ""
        return name

    def _read_then(self) -> float:
        start = self._position
        self._position += len(THEN) + 1
        return self._convert(parse_duration, self._read_value(), start)

    def _read_filter(self, part: QueryParts, field: str, is_excluded: bool, start: int) -> None:
        self._count_condition(start)
        self._position += len(field) + 1
        is_phrase = self._text[self._position] == '"'
        value = self._read_value()
        if not value:
            return
        if is_excluded and field in _OPPOSITES:
            raise QuerySyntaxError(NO_EXCLUSION.format(field=field, other=_OPPOSITES[field]), start + 1)
        if field in TERM_FIELDS:
            part.add_term(Term(value, is_phrase, field), is_excluded)
        elif field == TAG:
            (part.excluded_tags if is_excluded else part.tags).append(" ".join(value.split()))
        elif field == LANGUAGE:
            (part.excluded_languages if is_excluded else part.languages).append(self._convert(parse_language, value, start))
        elif field == AFTER:
            part.first_days.append(self._convert(parse_day, value, start))
        elif field == BEFORE:
            part.last_days.append(self._convert(parse_day, value, start))
        else:
            (part.longer if field == LONGER else part.shorter).append(self._convert(parse_duration, value, start))

    def _read_phrase(self, part: QueryParts, is_excluded: bool, start: int) -> None:
        if not is_excluded and self._text.find('"', start + 1) < 0:
            # While it is being typed, the words so far are an answer.
            part.notices.append(NO_PHRASE.format(position=start + 1))
            self._position += 1
        elif phrase := self._read_quoted():
            self._count_condition(start)
            part.add_term(Term(phrase), is_excluded)

    def _read_value(self) -> str:
        if self._text[self._position] == '"':
            return self._read_quoted()
        start = self._position
        while self._position < len(self._text) and not self._text[self._position].isspace():
            self._position += 1
        return self._text[start : self._position]

    def _read_quoted(self) -> str:
        """Read from a quotation mark to the next one."""
        end = self._text.find('"', self._position + 1)
        if end < 0:
            raise self._fail(NOT_CLOSED)
        quoted = self._text[self._position + 1 : end]
        self._position = end + 1
        return " ".join(quoted.split())

    def _read_word(self, part: QueryParts, is_excluded: bool, start: int) -> None:
        end = _WORD_END.search(self._text, self._position + 1)
        word = self._text[self._position : end.start() if end else len(self._text)]
        self._position += len(word)
        if not is_excluded:
            if word.endswith(":") and word[:-1].lower() in _FIELDS:
                part.notices.append(NO_VALUE.format(field=word[:-1].lower()))
            part.words.append(word)
        elif any(letter.isalnum() or category(letter) == "So" for letter in word):
            self._count_condition(start)
            part.excluded.append(Term(word, is_phrase=False))
        else:
            # Such as an arrow; what can be found are letters, digits and symbols such as emoji.
            part.words.append(f"-{word}")

    def _read_mention(self, part: QueryParts, is_excluded: bool, start: int) -> None:
        self._mentions += 1
        if self._names is None:
            self._names = self._load_names()
        self._position += 1
        if self._text[self._position] == '"':
            name = self._read_quoted()
            person_id = self._names.find(name)
        elif match := self._names.find_longest(self._text, self._position):
            person_id, self._position = match
        else:
            person_id = None
            word = _MENTIONED_WORD.match(self._text, self._position)
            name = word[0] if word else ""
            self._position += len(name)
        if person_id is not None:
            (part.excluded_person_ids if is_excluded else part.person_ids).append(person_id)
            self._people.append((start, self._position))
        elif is_excluded:
            part.notices.append(UNKNOWN_EXCLUDED.format(name=name))
        elif name:
            part.notices.append(UNKNOWN_NAME.format(name=name))
            part.words.append(name)

    def _remove_people(self) -> str:
        parts, position = [], 0
        for start, end in self._people:
            parts.append(self._text[position:start])
            position = end
        return normalize_query("".join([*parts, self._text[position:]]))

    def _convert(self, parse: Callable[[str], Value], value: str, start: int) -> Value:
        try:
            return parse(value)
        except ValueError as error:
            raise QuerySyntaxError(str(error), start + 1) from error

    def _count_condition(self, start: int) -> None:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise QuerySyntaxError(TOO_MANY, start + 1)

    def _fail(self, text: str) -> QuerySyntaxError:
        return QuerySyntaxError(text, self._position + 1)
