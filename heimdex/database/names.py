"""Compare names as the constraints on them do: in the lower case of the database, which differs from Python's for a few letters (İ, ẞ)."""

from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact


def has_name(name: str, field: str = "name") -> Q:
    """Return the condition that a row has a name, in any capitalization."""
    return Q(Exact(Lower(field), Lower(Value(name))))
