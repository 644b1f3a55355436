"""Compare a column with many values as one array, which costs less to write and to parse than a list of them."""

from collections.abc import Collection
from uuid import UUID

import numpy as np
from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, BooleanField, F, Func, UUIDField, Value
from django.db.models.functions import Cast
from numpy.typing import NDArray


class IsAnyOf(Func):
    """Whether a column is one of some values."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, column: str, values: "Collection[UUID] | NDArray[np.int64]") -> None:
        """Compare a column of UUIDs with UUIDs, or one of numbers with an array."""
        # The text of an array: Django would convert each value of a list several times.
        if isinstance(values, np.ndarray):
            texts, field = [str(value) for value in values.tolist()], ArrayField(BigIntegerField())
        else:
            texts, field = [value.hex for value in values], ArrayField(UUIDField())
        super().__init__(F(column), Cast(Value(f"{{{','.join(texts)}}}"), field))
