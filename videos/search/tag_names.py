"""Compare and list the names of tags inside JSON columns."""

from typing import Any

from django.db.models import BooleanField, F, Field, Func, JSONField, Q, TextField, Value
from django.db.models.functions import Cast, Coalesce, Lower
from django.db.models.lookups import Exact


class _JsonPathField(Field):  # type: ignore[type-arg]
    """A path of SQL/JSON (PostgreSQL's type jsonpath), for casts only."""

    def db_type(self, connection: object) -> str:
        return "jsonpath"


def has_tag(column: str, path: str, name: str) -> Q:
    """Return the condition that a text at a path of a JSON column is the name of a tag, in any capitalization, as facets count it."""
    has = Func(_lower(_list_texts(column, path)), Lower(Value(name)), function="jsonb_exists", output_field=BooleanField())
    return Q(Exact(has, Value(True)))


def list_names(tags: str, *others: Any) -> "Func[Any]":
    """Return the expression that has one row for each name of a tag, in lower case.

    `tags` is a column of objects with a `name`; the others are columns or expressions of names alone.
    """
    names = _list_texts(tags, "$[*].name")
    for other in others:
        more = Coalesce(F(other) if isinstance(other, str) else other, Value([], JSONField()), output_field=JSONField())
        names = Func(names, more, template="(%(expressions)s)", arg_joiner=" || ", output_field=JSONField())
    unique: Func[Any] = Func(_lower(names), function="jsonb_array_elements_text", output_field=TextField())
    unique.set_returning = True
    return unique


def _list_texts(column: str, path: str) -> "Func[Any]":
    return Func(F(column), Cast(Value(path), _JsonPathField()), function="jsonb_path_query_array", output_field=JSONField())


def _lower(texts: "Func[Any]") -> "Func[Any]":
    """Return the expression of a JSON array in lower case. No letter has a lower case that JSON writes otherwise."""
    return Cast(Lower(Cast(texts, TextField())), JSONField())
