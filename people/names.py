"""Names of people: clean them, and parse @-mentions in a query: `@Ann`, `@Ann Smith` or `@"Ann Smith"`. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from heimdex.errors import Refused

MAX_NAME_LENGTH = 200
MAX_ALIASES = 20
NOT_MENTIONABLE = 'A name cannot start with @ or contain ", because searches mention people as @"First Last". Remove these characters.'
# Zero-width non-joiner and joiner: Persian and Indic scripts use them inside names.
_JOINERS = "\u200c\u200d"


# As many people as a search takes by id.
MAX_MENTIONS = 20

_QUOTED = re.compile(r'@"([^"]*)"')
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_WORD = re.compile(r"\w+")
_LETTER = re.compile(r"\w")


@dataclass(frozen=True)
class ParsedMentions:
    """A query without its mentions, the mentioned people in order, and the unknown names, which remain in the text as words."""

    text: str
    person_ids: tuple[UUID, ...]
    unknown: tuple[str, ...]


def clean_name(name: str, field: str = "name") -> str:
    """Return a name with single spaces and without invisible characters.

    Raise Refused when nothing is left, when it is too long, or when a search could not mention it.
    """
    # Joiners are part of names in some scripts, but a name cannot consist of them alone.
    visible = "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in name)
    cleaned = " ".join(visible.split())
    if not any(letter.isalnum() for letter in cleaned):
        raise Refused("A name needs at least one letter or digit.", field)
    if cleaned.startswith("@") or '"' in cleaned:
        raise Refused(NOT_MENTIONABLE, field)
    if len(cleaned) > MAX_NAME_LENGTH:
        raise Refused(f"A name can have at most {MAX_NAME_LENGTH} characters.", field)
    return cleaned


def clean_aliases(aliases: Iterable[str], name: str) -> list[str]:
    """Return cleaned aliases without duplicates of each other or of the name. Raise Refused for invalid or too many aliases."""
    cleaned = deduplicate_aliases([clean_name(alias, "aliases") for alias in aliases], name)
    if len(cleaned) > MAX_ALIASES:
        raise Refused(f"A person can have at most {MAX_ALIASES} other names.", "aliases")
    return cleaned


def merge_aliases(aliases: Iterable[str], name: str, others: Iterable[str]) -> list[str]:
    """Return the other names of a person who takes over those of another. Raise Refused when they are too many together."""
    merged = deduplicate_aliases([*aliases, *others], name)
    if len(merged) > MAX_ALIASES:
        text = f"Together they have {len(merged)} other names, and a person can have at most {MAX_ALIASES}. Remove some of them first."
        raise Refused(text, "other")
    return merged


def deduplicate_aliases(aliases: Iterable[str], name: str) -> list[str]:
    """Return the aliases, in order, that differ from each other and from the name in more than capitalization."""
    seen = {name.casefold()}
    unique = []
    for alias in aliases:
        if alias.casefold() not in seen:
            seen.add(alias.casefold())
            unique.append(alias)
    return unique


def parse_mentions(text: str, people: Mapping[str, UUID]) -> ParsedMentions:
    """Remove the @-mentions from a query. The longest matching name wins, in any capitalization.

    The keys of `people` are names in lower case. Mentions after the first MAX_MENTIONS stay in the text. The work grows with the length
    of the text and, once, with the number of names: each mention takes one lookup per length that a name has.
    """
    reader = _MentionReader(people)
    rest = _QUOTED.sub(reader.replace_quoted, text)
    lowered = rest.lower()
    if len(lowered) != len(rest):
        # Lower-casing lengthens a few letters, such as İ. Positions must be those of one text.
        rest = lowered
    parts = []
    position = 0
    for at in _MENTION.finditer(rest):
        if at.start() < position or reader.is_full:
            continue
        parts.append(rest[position : at.start()])
        name = reader.find_name(lowered, at.end())
        if name is None:
            word = _WORD.match(rest, at.end())
            reader.unknown[word[0] if word else ""] = None
            position = at.end()
        else:
            reader.mentioned[people[name]] = None
            position = at.end() + len(name)
    parts.append(rest[position:])
    return ParsedMentions(" ".join("".join(parts).split()), tuple(reader.mentioned), tuple(reader.unknown))


class _MentionReader:
    """Looks names up, and collects the people and the unknown names of one query."""

    def __init__(self, people: Mapping[str, UUID]) -> None:
        self._people = people
        self._lengths = sorted({len(name) for name in people}, reverse=True)
        self.mentioned: dict[UUID, None] = {}
        self.unknown: dict[str, None] = {}

    @property
    def is_full(self) -> bool:
        return len(self.mentioned) + len(self.unknown) >= MAX_MENTIONS

    def find_name(self, lowered: str, start: int) -> str | None:
        """Return the longest name that starts at a position and ends with a word."""
        for length in self._lengths:
            end = start + length
            if end <= len(lowered) and not _LETTER.match(lowered, end) and lowered[start:end] in self._people:
                return lowered[start:end]
        return None

    def replace_quoted(self, quoted: re.Match[str]) -> str:
        if self.is_full:
            return quoted[0]
        person = self._people.get(" ".join(quoted[1].lower().split()))
        if person is None:
            self.unknown[quoted[1]] = None
            return quoted[1]
        self.mentioned[person] = None
        return " "
