"""Read the rows of a query with COPY in PostgreSQL's binary format: vectors and codes as bytes, without a text of each number."""

from collections.abc import Iterator
from typing import Any, cast

from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models import QuerySet

# A signature, flags and the length of an empty extension.
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"


def copy_out(rows: QuerySet[Any, Any]) -> Iterator[list[memoryview]]:
    """Yield the columns of each row as PostgreSQL sends them. NULL is an empty column."""
    for row in copy_out_raw(rows):
        yield _split(row)


def copy_out_raw(rows: QuerySet[Any, Any]) -> Iterator[memoryview]:
    """Yield each row: the number of columns (2 bytes), and the length (4 bytes) and the content of each column, big-endian."""
    statement = f"COPY ({cast(DatabaseOperations, connection.ops).compose_sql(*rows.query.sql_with_params())}) TO STDOUT (FORMAT BINARY)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, data in enumerate(copy):
            row = memoryview(data)[len(_HEADER) if not number else 0 :]
            if row and row != _END:
                yield row


def _split(row: memoryview) -> list[memoryview]:
    columns = []
    place = 2
    for _ in range(int.from_bytes(row[:2], "big")):
        length = int.from_bytes(row[place : place + 4], "big", signed=True)
        place += 4
        columns.append(row[place : place + max(length, 0)])
        place += max(length, 0)
    return columns
