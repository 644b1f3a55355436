"""Vectors of large libraries without codes, and codes without vectors, are reported and packed again."""

from collections.abc import Iterator
from unittest import mock

import pytest
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.reconcile.checks import packings
from reprocess.reconcile.reconciliation import reconcile
from tests.videos.search.test_packing import BLOCK, add_vectors
from tests.videos.search.test_packing import owner as owner
from tests.videos.search.test_packing import small_blocks as small_blocks
from tests.videos.search.test_packing import space as space
from videos.models import EmbeddingSpace, PackedSpace, SceneEmbedding
from videos.search.packing import pack_large_spaces

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_packings(settings: Settings) -> Iterator[None]:
    with (
        mock.patch.object(packings, "BLOCK_SIZE", BLOCK),
        mock.patch("reprocess.reconcile.reconciliation.list_checks", return_value=[packings.CHECK]),
    ):
        yield


def count_unpacked(owner: User | None = None, *, repair: bool = False) -> int:
    report = reconcile(owner and owner.pk, repair=repair, on_check=lambda name, number, total: None)
    return sum(issue.found for issue in report.issues if issue.issue_type is packings.UNPACKED)


def test_large_libraries_without_codes_are_packed(space: EmbeddingSpace, owner: User) -> None:
    assert count_unpacked() == 2
    assert count_unpacked(owner, repair=True) == 1
    assert PackedSpace.objects.get(is_active=True).owner_id == owner.pk
    assert count_unpacked() == 1


def test_many_vectors_since_the_last_packing_are_packed_and_few_are_left(space: EmbeddingSpace, owner: User) -> None:
    pack_large_spaces()
    add_vectors(space, owner, BLOCK)
    assert count_unpacked() == 0
    add_vectors(space, owner, BLOCK)
    assert count_unpacked(repair=True) == 1
    assert count_unpacked() == 0


def test_codes_whose_vectors_are_gone_are_replaced_or_deleted(space: EmbeddingSpace, owner: User) -> None:
    pack_large_spaces()
    add_vectors(space, owner, BLOCK)
    rows = SceneEmbedding.objects.filter(owner=owner).order_by("pk").values_list("pk", flat=True)
    SceneEmbedding.objects.filter(pk__in=list(rows[:BLOCK])).delete()
    assert count_unpacked(repair=True) == 1
    assert PackedSpace.objects.get(owner=owner).count == 3 * BLOCK
    SceneEmbedding.objects.filter(pk__in=list(rows[:100])).delete()
    assert count_unpacked(repair=True) == 1
    assert not PackedSpace.objects.filter(owner=owner).exists()
