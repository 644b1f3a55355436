"""Compare and list the names of tags inside JSON columns."""

import json
import re
from typing import Any

from django.db.models import BooleanField, F, Field, Func, JSONField, Q, TextField, Value
from django.db.models.functions import Cast, Coalesce, Lower
from django.db.models.lookups import Exact


class _JsonPathField(Field):  # type: ignore[type-arg]
    """A path of SQL/JSON (PostgreSQL's type jsonpath), for casts only."""

    def db_type(self, connection: object) -> str:
        return "jsonpath"


def has_tag(column: str, path: str, name: str) -> Q:
    """Return the condition that a text at a path of a JSON column is the name of a tag, in any capitalization."""
    pattern = json.dumps(f"^{re.escape(name)}$", ensure_ascii=False)
    matches = Func(
        F(column),
        Cast(Value(f'{path} ? (@ like_regex {pattern} flag "i")'), _JsonPathField()),
        function="jsonb_path_exists",
        output_field=BooleanField(),
    )
    return Q(Exact(matches, Value(True)))


def list_names(tags: str, *others: Any) -> "Func[Any]":
    """Return the expression that has one row for each name of a tag, in lower case.

    `tags` is a column of objects with a `name`; the others are columns or expressions of names alone.
    """
    names: Func[Any] = Func(
        F(tags), Cast(Value("$[*].name"), _JsonPathField()), function="jsonb_path_query_array", output_field=JSONField()
    )
    for other in others:
        more = Coalesce(F(other) if isinstance(other, str) else other, Value([], JSONField()), output_field=JSONField())
        names = Func(names, more, template="(%(expressions)s)", arg_joiner=" || ", output_field=JSONField())
    lowered = Cast(Lower(Cast(names, TextField())), JSONField())
    unique: Func[Any] = Func(lowered, function="jsonb_array_elements_text", output_field=TextField())
    unique.set_returning = True
    return unique
