"""Save a person under a name that only one of an owner's people may have."""

from django.db import IntegrityError, transaction

from people.models import Person
from videos.actions.errors import Refused

TAKEN = "You have a person named {name} already."


def saved(person: Person) -> Person:
    """Write a person's row; Refused when another of the owner's people has the name, archived or not, whatever its capitals."""
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        # The name is all that is unique of a person: two requests at once cannot both have it.
        raise Refused(TAKEN.format(name=person.name), "name") from error
    return person
