"""A comparison limited to some scenes: both sides have the same ones, also as context."""

import pytest
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.cutover.ranking import rank_in_spaces
from reprocess.cutover.switch import plan_cutover
from reprocess.planning.scope import Scope
from reprocess.spec import get_effective_spec
from tests.library import make_user, make_video
from tests.reprocess.cutover.conftest import run
from videos.models import Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def sailors() -> User:
    owner = make_user()
    make_video(owner, ["The ship waits here.", "Ship ocean storm rescue."], title="Storm")
    make_video(owner, ["Ship sails today."], title="Calm")
    run()
    return owner


def test_scenes_outside_the_sample_are_no_context_and_no_results(sailors: User, settings: Settings) -> None:
    settings.MODEL_BACKENDS = {
        **settings.MODEL_BACKENDS,
        "text": {"BACKEND": "tests.reprocess.cutover.synonyms.RenamedEmbedder", "OPTIONS": {}},
    }
    run(Scope("owner", owner_id=sailors.pk), automatic_cutover=False)
    change = plan_cutover(sailors.pk, get_effective_spec())
    left_out = Scene.objects.get(transcript="Ship ocean storm rescue.")
    sampled = set(Scene.objects.exclude(pk=left_out.pk).values_list("pk", flat=True))
    # As after a trial: the scene beside has vectors of the old model only.
    left_out.embeddings.filter(space__in=change.pending).delete()
    sides = [list(change.before.values()), list(change.after.values())]
    ranked = rank_in_spaces(sailors.pk, "ship ocean storm rescue", sides, within=sampled)
    old, new = ([(scene.scene_id, [rank.score for rank in scene.ranks], scene.score) for scene in side] for side in ranked.sides)
    assert {scene_id for scene_id, _, _ in old} == sampled
    assert old == new
    assert ranked.channels[0]["transcript"] == ranked.channels[1]["transcript"] != []
