"""The names in a query: `@Ann`, `@Ann Smith` or `@"Ann Smith"`. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

_QUOTED = re.compile(r'@"([^"]*)"')


@dataclass(frozen=True)
class Reading:
    """A query without the names in it, whom they name in order, and the names that nobody has, which stay in the text as words."""

    text: str
    person_ids: tuple[UUID, ...]
    unknown: tuple[str, ...]


def read_names(text: str, people: Mapping[str, UUID]) -> Reading:
    """Take out the names that follow an @; the longest that fits counts, however it is capitalised. `people` is by name in lower case."""
    found: dict[UUID, None] = {}
    unknown: list[str] = []
    rest = _QUOTED.sub(lambda quoted: _quoted(quoted[1], people, found, unknown), text)
    by_length = sorted(people, key=len, reverse=True)
    kept = []
    position = 0
    for at in re.finditer(r"(?<!\w)@(?=\w)", rest):
        if at.start() < position:
            continue
        kept.append(rest[position : at.start()])
        following = rest[at.end() :].lower()
        name = next((name for name in by_length if re.match(re.escape(name) + r"(?!\w)", following)), None)
        if name is None:
            word = re.match(r"\w+", rest[at.end() :])
            unknown.append(word[0] if word else "")
            position = at.end()
        else:
            found[people[name]] = None
            position = at.end() + len(name)
    kept.append(rest[position:])
    return Reading(" ".join("".join(kept).split()), tuple(found), tuple(unknown))


def _quoted(name: str, people: Mapping[str, UUID], found: dict[UUID, None], unknown: list[str]) -> str:
    person = people.get(" ".join(name.lower().split()))
    if person is None:
        unknown.append(name)
        return name
    found[person] = None
    return " "
