"""Names of people: clean them, and look them up where a query mentions them: `@Ann`, `@Ann Smith` or `@"Ann Smith"`. Pure."""

import unicodedata
from collections.abc import Iterable
from uuid import UUID

import regex

from heimdex.errors import Refused
from videos.search.typed_names import normalize_name

MAX_NAME_LENGTH = 200
MAX_ALIASES = 20
NOT_MENTIONABLE = (
    'A name cannot start with @ or contain quotation marks, because searches mention people as @"First Last". Remove these characters.'
)
# Zero-width non-joiner and joiner: Persian and Indic scripts use them inside names.
_JOINERS = "\u200c\u200d"
# The signs of vowels in Indic scripts and Thai belong to their letters here, unlike in `re`.
_LETTER = regex.compile(r"\w")


def clean_name(name: str, field: str = "name") -> str:
    """Return a name with single spaces and without invisible characters.

    Raise Refused when nothing is left, when it is too long, or when a search could not mention it.
    """
    # Joiners are part of names in some scripts, but a name cannot consist of them alone.
    visible = "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in name)
    cleaned = normalize_name(" ".join(visible.split()))
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


class NameIndex:
    """Looks up the names of people in any capitalization. A lookup takes one step for each length that a name has."""

    def __init__(self, names: Iterable[tuple[str, UUID]]) -> None:
        """Index names. Of several people with the same name, the first is found."""
        self._people: dict[str, UUID] = {}
        for name, person_id in names:
            # A query may have its accents apart from their letters, as macOS writes them.
            for form in ("NFC", "NFD"):
                self._people.setdefault(lower_letters(unicodedata.normalize(form, normalize_name(name))), person_id)
        self._lengths = sorted({len(name) for name in self._people}, reverse=True)

    def find(self, name: str) -> UUID | None:
        """Return the person with exactly this name."""
        return self._people.get(lower_letters(normalize_name(name)))

    def find_longest(self, text: str, start: int) -> tuple[UUID, int] | None:
        """Return the person with the longest name that starts at a position of a text and ends with a word, and where it ends."""
        ahead = lower_letters(text[start : start + MAX_NAME_LENGTH + 1])
        for length in self._lengths:
            if length <= len(ahead) and not _LETTER.match(ahead, length) and (person_id := self._people.get(ahead[:length])):
                return person_id, start + length
        return None


def lower_letters(text: str) -> str:
    """Return a text in lower case that is as long as the text. A few letters, such as İ, are longer in lower case, and stay as they are."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
