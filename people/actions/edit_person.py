"""Change a person's names, or put the person aside."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from people.actions.naming import saved
from people.models import Person
from people.names import clean_aliases, clean_name, distinct
from people.photos.schedule import wake
from people.query_hashes import refresh_query_hash


def edit_person(
    owner: User, person_id: UUID, *, name: str | None = None, aliases: Iterable[str] | None = None, archived: bool | None = None
) -> Person:
    """Set what is given. Who is archived is neither looked for nor listed until that is undone.

    Person.DoesNotExist for another owner's id; Refused for a name that is none or taken.
    """
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).get(pk=person_id, owner=owner)
        if name is not None:
            person.name = clean_name(name)
        person.aliases = distinct(person.aliases, person.name) if aliases is None else clean_aliases(aliases, person.name)
        put_aside = archived is not None and archived != person.is_archived
        if put_aside:
            person.archived_at = timezone.now() if archived else None
        person.updated_at = timezone.now()
        saved(person)
        if refresh_query_hash([person.pk]):
            person.refresh_from_db(fields=["person_query_hash"])
        if put_aside:
            # Also without photos: faces may be this person's because the owner said so.
            wake(person.owner_id)
    return person
