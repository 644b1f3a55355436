"""Clean the names that owners give to tags, collections and searches, and refuse those that are taken."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from heimdex.database.names import has_name
from heimdex.errors import Refused
from videos.search.typed_names import normalize_name

NO_LETTER = "A name needs at least one letter or digit."
NO_QUOTES = 'A name cannot contain quotation marks such as ", because searches put names between these. Remove them.'
TOO_LONG = "A name can have at most {limit} characters."


def clean_label(name: str, limit: int) -> str:
    """Return a name with single spaces and without invisible characters. Pure.

    Raise Refused if nothing is left or it cannot be searched for.
    """
    cleaned = normalize_name(" ".join("".join(letter if letter.isprintable() else " " for letter in name).split()))
    if not any(letter.isalnum() for letter in cleaned):
        raise Refused(NO_LETTER, "name")
    if '"' in cleaned:
        raise Refused(NO_QUOTES, "name")
    if len(cleaned) > limit:
        raise Refused(TOO_LONG.format(limit=limit), "name")
    return cleaned


def refuse_taken(rows: QuerySet[Any], name: str, message: str, *renamed: UUID) -> None:
    """Raise Refused with a message about `{name}` if any of the rows, other than one that is renamed, has the name."""
    if rows.filter(has_name(name)).exclude(pk__in=renamed).exists():
        raise Refused(message.format(name=name), "name")
