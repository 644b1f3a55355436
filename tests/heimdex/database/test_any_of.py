"""A column is compared with many values as one array."""

from uuid import uuid4

import pytest

from heimdex.accounts.models import User
from heimdex.database.any_of import IsAnyOf
from tests.library import make_user

pytestmark = pytest.mark.django_db


def test_rows_with_one_of_the_values_match() -> None:
    first, second = make_user("first@example.org"), make_user("second@example.org")
    make_user("third@example.org")
    assert set(User.objects.filter(IsAnyOf("pk", [first.pk, second.pk, uuid4()]))) == {first, second}
    assert not User.objects.filter(IsAnyOf("pk", ())).exists()
