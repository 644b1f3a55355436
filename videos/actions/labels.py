"""Clean the names that owners give to tags, collections and searches. Pure."""

from heimdex.errors import Refused
from videos.search.typed_names import normalize_name

NO_LETTER = "A name needs at least one letter or digit."
NO_QUOTES = 'A name cannot contain quotation marks such as ", because searches put names between these. Remove them.'
TOO_LONG = "A name can have at most {limit} characters."


def clean_label(name: str, limit: int) -> str:
    """Return a name with single spaces and without invisible characters. Raise Refused if nothing is left or it cannot be searched for."""
    cleaned = normalize_name(" ".join("".join(letter if letter.isprintable() else " " for letter in name).split()))
    if not any(letter.isalnum() for letter in cleaned):
        raise Refused(NO_LETTER, "name")
    if '"' in cleaned:
        raise Refused(NO_QUOTES, "name")
    if len(cleaned) > limit:
        raise Refused(TOO_LONG.format(limit=limit), "name")
    return cleaned
