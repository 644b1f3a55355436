"""Names of people: clean them, and parse @-mentions in a query: `@Ann`, `@Ann Smith` or `@"Ann Smith"`. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from heimdex.errors import Refused

MAX_NAME_LENGTH = 200
MAX_ALIASES = 20
# Zero-width non-joiner and joiner: Persian and Indic scripts use them inside names.
_JOINERS = "\u200c\u200d"


_QUOTED = re.compile(r'@"([^"]*)"')


@dataclass(frozen=True)
class ParsedMentions:
    """A query without its mentions, the mentioned people in order, and the unknown names, which remain in the text as words."""

    text: str
    person_ids: tuple[UUID, ...]
    unknown: tuple[str, ...]


def clean_name(name: str, field: str = "name") -> str:
    """Return a name with single spaces and without invisible characters. Raise Refused when nothing is left or it is too long."""
    # Joiners are part of names in some scripts, but a name cannot consist of them alone.
    visible = "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in name)
    cleaned = " ".join(visible.split())
    if not any(letter.isalnum() for letter in cleaned):
        raise Refused("A name needs at least one letter or digit.", field)
    if len(cleaned) > MAX_NAME_LENGTH:
        raise Refused(f"A name can have at most {MAX_NAME_LENGTH} characters.", field)
    return cleaned


def clean_aliases(aliases: Iterable[str], name: str) -> list[str]:
    """Return cleaned aliases without duplicates of each other or of the name. Raise Refused for invalid or too many aliases."""
    cleaned = deduplicate_aliases([clean_name(alias, "aliases") for alias in aliases], name)
    if len(cleaned) > MAX_ALIASES:
        raise Refused(f"A person can have at most {MAX_ALIASES} other names.", "aliases")
    return cleaned


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

    The keys of `people` are names in lower case.
    """
    mentioned: dict[UUID, None] = {}
    unknown: list[str] = []
    rest = _QUOTED.sub(lambda quoted: _replace_quoted(quoted[1], people, mentioned, unknown), text)
    by_length = sorted(people, key=len, reverse=True)
    parts = []
    position = 0
    for at in re.finditer(r"(?<!\w)@(?=\w)", rest):
        if at.start() < position:
            continue
        parts.append(rest[position : at.start()])
        following = rest[at.end() :].lower()
        name = next((name for name in by_length if re.match(re.escape(name) + r"(?!\w)", following)), None)
        if name is None:
            word = re.match(r"\w+", rest[at.end() :])
            unknown.append(word[0] if word else "")
            position = at.end()
        else:
            mentioned[people[name]] = None
            position = at.end() + len(name)
    parts.append(rest[position:])
    return ParsedMentions(" ".join("".join(parts).split()), tuple(mentioned), tuple(unknown))


def _replace_quoted(name: str, people: Mapping[str, UUID], mentioned: dict[UUID, None], unknown: list[str]) -> str:
    person = people.get(" ".join(name.lower().split()))
    if person is None:
        unknown.append(name)
        return name
    mentioned[person] = None
    return " "
