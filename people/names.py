"""What may be a person's name. Pure."""

from collections.abc import Iterable

from videos.actions.errors import Refused

LONGEST_NAME = 200
MOST_ALIASES = 20


def clean_name(name: str, field: str = "name") -> str:
    """Return a name as it is stored: one space between words, nothing unseen; Refused when nothing is left or it is too long."""
    # Marks that only direct or join letters have a place within names of some scripts, but none is a name.
    seen = " ".join("".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in name).split())
    if not any(letter.isalnum() for letter in seen):
        raise Refused("A name needs at least one letter or digit.", field)
    if len(seen) > LONGEST_NAME:
        raise Refused(f"A name may have at most {LONGEST_NAME} characters.", field)
    return seen


def clean_aliases(aliases: Iterable[str], name: str) -> list[str]:
    """Return other names as they are stored: each once, whatever its capitals, and not the name itself; Refused as `clean_name`."""
    kept = distinct([clean_name(alias, "aliases") for alias in aliases], name)
    if len(kept) > MOST_ALIASES:
        raise Refused(f"A person may have at most {MOST_ALIASES} other names.", "aliases")
    return kept


def distinct(aliases: Iterable[str], name: str) -> list[str]:
    """Return the aliases that differ from each other and from the name by more than capitals, in their order."""
    taken = {name.casefold()}
    kept = []
    for alias in aliases:
        if alias.casefold() not in taken:
            taken.add(alias.casefold())
            kept.append(alias)
    return kept


# Zero-width joiner and non-joiner, which Persian and Indian scripts spell names with.
_JOINERS = "\u200c\u200d"
