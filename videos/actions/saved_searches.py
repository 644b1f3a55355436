"""Save searches under a name, and choose whether searches are recorded."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.accounts.owner import lock_owner
from heimdex.errors import Refused
from videos.actions.labels import clean_label, refuse_taken
from videos.models import SavedSearch, SearchPreferences
from videos.models.query import SEARCH_NAME_MAX_LENGTH
from videos.search.query_language import NoNames, QuerySyntaxError, parse_query

MAX_SEARCHES = 1000
TAKEN = "You already have a saved search named {name}."
TOO_MANY = f"You can have at most {MAX_SEARCHES} saved searches. Delete some that you no longer need."


def save_search(owner: User, name: str, query: str, parameters: dict[str, Any]) -> SavedSearch:
    """Save a search. Raise Refused for an invalid name or query, a name that is taken, or too many searches."""
    name = clean_label(name, SEARCH_NAME_MAX_LENGTH)
    _check_query(query)
    with transaction.atomic():
        lock_owner(owner.pk)
        refuse_taken(SavedSearch.objects.filter(owner=owner), name, TAKEN)
        if SavedSearch.objects.filter(owner=owner).count() >= MAX_SEARCHES:
            raise Refused(TOO_MANY)
        return SavedSearch.objects.create(owner=owner, name=name, query=query, parameters=parameters)


def edit_search(
    owner: User, search_id: UUID, *, name: str | None = None, query: str | None = None, parameters: dict[str, Any] | None = None
) -> SavedSearch:
    """Change the given values. Raise SavedSearch.DoesNotExist for another owner's id, and Refused for an invalid value."""
    with transaction.atomic():
        lock_owner(owner.pk)
        search = SavedSearch.objects.get(pk=search_id, owner=owner)
        if name is not None:
            name = clean_label(name, SEARCH_NAME_MAX_LENGTH)
            refuse_taken(SavedSearch.objects.filter(owner=owner), name, TAKEN, search_id)
            search.name = name
        if query is not None:
            _check_query(query)
            search.query = query
        if parameters is not None:
            search.parameters = parameters
        search.updated_at = timezone.now()
        search.save(update_fields=["name", "query", "parameters", "updated_at"])
    return search


def set_recording(owner: User, *, records_queries: bool) -> None:
    """Choose whether the owner's searches are recorded. What is recorded already stays until it is erased."""
    SearchPreferences.objects.update_or_create(owner=owner, defaults={"records_queries": records_queries})


def _check_query(query: str) -> None:
    try:
        parse_query(query, NoNames)
    except QuerySyntaxError as error:
        raise Refused(str(error), "query") from error
