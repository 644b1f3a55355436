"""A column is compared with many values as one array."""

from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import Group

from heimdex.accounts.models import User
from heimdex.database.any_of import IsAnyOf
from tests.library import make_user

pytestmark = pytest.mark.django_db


def test_rows_with_one_of_the_values_match() -> None:
    first, second = make_user("first@example.org"), make_user("second@example.org")
    make_user("third@example.org")
    assert set(User.objects.filter(IsAnyOf("pk", [first.pk, second.pk, uuid4()]))) == {first, second}
    assert not User.objects.filter(IsAnyOf("pk", ())).exists()


def test_numbers_are_compared_with_an_array() -> None:
    first, second, _ = (Group.objects.create(name=name) for name in ("first", "second", "third"))
    assert set(Group.objects.filter(IsAnyOf("pk", np.array([first.pk, second.pk, 2**40])))) == {first, second}
    assert not Group.objects.filter(IsAnyOf("pk", np.array([], np.int64))).exists()
