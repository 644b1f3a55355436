"""Validate and clean the names of people. Pure."""

from collections.abc import Iterable

from heimdex.errors import Refused

MAX_NAME_LENGTH = 200
MAX_ALIASES = 20
# Zero-width non-joiner and joiner: Persian and Indic scripts use them inside names.
_JOINERS = "\u200c\u200d"


def clean_name(name: str, field: str = "name") -> str:
    """Return a name with single spaces and without invisible characters. Raise Refused when nothing is left or it is too long."""
    # Joiners have a place within names of some scripts, but do not make a name on their own.
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
