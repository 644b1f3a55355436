"""Lock rows of people in one order, so that transactions do not deadlock.

The order is: photos, then the owner (`heimdex.accounts.owner`) where faces are matched to people, then people, then rows that refer to
people (vectors, matches, labels). Rows of one table are locked by id.
"""

from django.db.models import QuerySet

from people.models import Person, PersonPhoto


def lock_photos(photos: QuerySet[PersonPhoto]) -> list[PersonPhoto]:
    """Lock photos until the transaction ends. Return their current rows, ordered by id."""
    return list(photos.select_for_update(of=("self",)).order_by("pk"))


def lock_people(people: QuerySet[Person], *, to_delete: bool = False) -> list[Person]:
    """Lock people until the transaction ends. Return their current rows, ordered by id.

    Unless `to_delete` is set, other transactions can still write rows that refer to these people (a new photo, a match).
    """
    return list(people.select_for_update(no_key=not to_delete, of=("self",)).order_by("pk"))
