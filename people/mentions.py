"""Mentions of people in a query: `@Ann`, `@Ann Smith` or `@"Ann Smith"`. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

_QUOTED = re.compile(r'@"([^"]*)"')


@dataclass(frozen=True)
class ParsedMentions:
    """A query without its mentions, the mentioned people in order, and the unknown names, which remain in the text as words."""

    text: str
    person_ids: tuple[UUID, ...]
    unknown: tuple[str, ...]


def parse_mentions(text: str, people: Mapping[str, UUID]) -> ParsedMentions:
    """Take the names after each @ out of a query. The longest name that fits counts, in any capitalization.

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
