"""Rows are read as PostgreSQL stores them."""

import pytest

from heimdex.accounts.models import User
from heimdex.database.copy_out import copy_out, copy_out_raw
from tests.library import make_user

pytestmark = pytest.mark.django_db


def test_each_row_has_the_bytes_of_its_columns() -> None:
    user = make_user("owner@example.org")
    ((user_id, email, deleted),) = copy_out(User.objects.filter(email="owner@example.org").values_list("pk", "email", "last_login"))
    assert (bytes(user_id), bytes(email), bytes(deleted)) == (user.pk.bytes, b"owner@example.org", b"")


def test_values_of_conditions_are_quoted() -> None:
    make_user("o'neill@example.org")
    assert len(list(copy_out(User.objects.filter(email="o'neill@example.org").values_list("pk")))) == 1
    assert list(copy_out_raw(User.objects.filter(email="100%@example.org").values_list("pk"))) == []
