"""The vectors of a trial are kept as long as its model is configured."""

from collections.abc import Callable

import pytest

from heimdex.accounts.models import User
from reprocess.reconcile.checks import spaces, vectors
from tests.reprocess.trials import try_change
from videos.models import SceneEmbedding

pytestmark = pytest.mark.django_db


def test_vectors_of_a_model_that_was_given_up_are_deleted(owner: User, change_model: Callable[[str], None]) -> None:
    rows = SceneEmbedding.objects.count()
    change_model("passage: ")
    try_change()
    assert [*spaces.CHECK.find(None), *vectors.CHECK.find(None)] == []
    assert SceneEmbedding.objects.count() == rows + 9
    change_model("")
    findings = list(spaces.CHECK.find(owner.pk))
    assert {(finding.issue_type, finding.count) for finding in findings} == {(spaces.ORPHANS, 3)}
    assert sum(finding.repair() for finding in findings if finding.repair) == 9
    assert SceneEmbedding.objects.count() == rows
