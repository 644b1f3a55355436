"""Add a person."""

from collections.abc import Iterable

from heimdex.accounts.models import User
from people.actions.naming import saved
from people.models import Person
from people.names import clean_aliases, clean_name


def add_person(owner: User, name: str, aliases: Iterable[str] = ()) -> Person:
    """Create a person without photos; Refused for a name that is none, or that the owner has given already."""
    name = clean_name(name)
    return saved(Person(owner=owner, name=name, aliases=clean_aliases(aliases, name)))
