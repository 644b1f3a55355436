"""Offer people whose names are plain words of a query as filters. Nothing is filtered until the owner accepts an offer."""

import unicodedata
from dataclasses import dataclass, replace
from uuid import UUID

import regex

from videos.registry import get_people_search
from videos.search.parsed_query import ParsedQuery

# Longer names, and names after so many words, are not recognized.
MAX_NAME_WORDS = 4
MAX_WORDS = 32
MAX_SUGGESTIONS = 5
_QUOTED = regex.compile(r'("[^"]*")')
# The signs of vowels in Indic scripts and Thai are part of words here, unlike in `re`.
_WORD = regex.compile(r"[\w'’.-]*\w")


@dataclass(frozen=True)
class Suggestion:
    """A person that a query may mean, and the query with the person as a filter."""

    person_id: UUID
    name: str
    query: str


def suggest_people(owner_id: UUID, query: ParsedQuery, text: str) -> tuple[Suggestion, ...]:
    """Return suggestions for a query, as parsed and as typed. Of names inside each other, the longest counts."""
    suggestions: list[Suggestion] = []
    covered: set[str] = set()
    text = unicodedata.normalize("NFC", text)
    named = get_people_search().find_named(owner_id, list_phrases(query.text))
    for name in sorted(named, key=len, reverse=True):
        person = named[name]
        changed = replace_name(text, name)
        if changed != text and not any(name in longer for longer in covered) and person.person_id not in query.person_ids:
            covered.add(name)
            suggestions.append(Suggestion(person.person_id, person.name, changed))
    return tuple(suggestions[:MAX_SUGGESTIONS])


def read_names(owner_id: UUID, query: ParsedQuery) -> ParsedQuery:
    """Return a query in which plain names are people, for a search for people only. Without such a name its words remain."""
    if query.next_query:
        query = replace(query, next_query=read_names(owner_id, query.next_query))
    named = get_people_search().find_named(owner_id, list_phrases(query.text))
    if not named:
        return query
    person_ids = dict.fromkeys([*query.person_ids, *(person.person_id for person in named.values())])
    return replace(query, text="", person_ids=tuple(person_ids))


def list_phrases(text: str) -> list[str]:
    """Return all runs of at most MAX_NAME_WORDS words of a text, without repetitions. Pure."""
    words = _WORD.findall(unicodedata.normalize("NFC", text))[:MAX_WORDS]
    runs = (words[start : start + length] for start in range(len(words)) for length in range(1, MAX_NAME_WORDS + 1))
    return list(dict.fromkeys(" ".join(run) for run in runs))


def replace_name(text: str, name: str) -> str:
    """Return a query with the first plain occurrence of a name, in lower case, as a mention; as it was if there is none. Pure."""
    words = r"\s+".join(regex.escape(word) for word in name.split())
    pattern = regex.compile(rf"(?<!\S){words}(?![\w:])", regex.IGNORECASE)
    parts = _QUOTED.split(text)
    # Every other part is a phrase.
    for place in range(0, len(parts), 2):
        if match := pattern.search(parts[place]):
            parts[place] = f'{parts[place][: match.start()]}@"{" ".join(match[0].split())}"{parts[place][match.end() :]}'
            return "".join(parts)
    return text
