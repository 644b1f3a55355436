"""Lock rows of people in one order, so that nobody waits for somebody who waits for them.

The order is: photos, then the owner (`heimdex.accounts.locks`) where faces are matched to people, then people, then what hangs on
people (vectors, matches, rulings); rows of one kind by their ids.
"""

from django.db.models import QuerySet

from people.models import Person, PersonPhoto


def lock_photos(photos: QuerySet[PersonPhoto]) -> list[PersonPhoto]:
    """Lock photos until the transaction ends; return them as they are now, in the order of their ids."""
    return list(photos.select_for_update(of=("self",)).order_by("pk"))


def lock_people(people: QuerySet[Person], *, to_delete: bool = False) -> list[Person]:
    """Lock people until the transaction ends; return them as they are now, in the order of their ids.

    Others may meanwhile write what refers to them (a new photo, a match), unless they are locked `to_delete`.
    """
    return list(people.select_for_update(no_key=not to_delete, of=("self",)).order_by("pk"))
