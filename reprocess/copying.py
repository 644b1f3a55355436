"""Vectors by COPY, the database's own way for bulk: ADR 6 says why this one statement is not the ORM's."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from django.db import connection, models
from numpy.typing import NDArray
from psycopg import sql

Cell = bytes | str | None

# The day from which PostgreSQL counts its microseconds.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def copy_rows(model: type[models.Model], fields: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Append rows in PostgreSQL's binary format: text as str, everything else as the bytes that the functions below return."""
    column_of = {field.name: field.column for field in model._meta.concrete_fields if field.column}
    columns = [sql.Identifier(column_of[name]) for name in fields]
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(model._meta.db_table), sql.SQL(", ").join(columns))
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def halfvec_cells(vectors: Sequence[NDArray[np.float32]]) -> Iterator[bytes]:
    """Yield each vector as `halfvec` is received: the number of dimensions and a zero, both of two bytes, and then the halves."""
    halves = np.stack(vectors).astype(">f2")
    head = np.array([halves.shape[1], 0], dtype=">u2").tobytes()
    return (head + row.tobytes() for row in halves)


def uuid_cell(value: UUID | None) -> Cell:
    """Return a UUID, or NULL."""
    return None if value is None else value.bytes


def time_cell(moment: datetime) -> bytes:
    """Return a point in time, to the microsecond."""
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds).to_bytes(8, "big", signed=True)
