"""Lock an owner while their spaces or matches change as a whole."""

from uuid import UUID

from heimdex.accounts.models import User


def lock_owner(owner_id: UUID) -> None:
    """Lock an owner until the transaction ends, so that no other transaction switches the owner's spaces or matches faces.

    Other transactions can still write rows that refer to the owner.
    """
    list(User.objects.filter(pk=owner_id).select_for_update(no_key=True).values_list("pk"))
