"""Lock an owner, where what belongs to them is changed as a whole."""

from uuid import UUID

from heimdex.accounts.models import User


def lock_owner(owner_id: UUID) -> None:
    """Let nobody else switch this owner's spaces or match their faces until the transaction ends.

    Others may meanwhile write rows that refer to the owner.
    """
    list(User.objects.filter(pk=owner_id).select_for_update(no_key=True).values_list("pk"))
