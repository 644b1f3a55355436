"""Damage to rows is found, counted, and repaired for one owner without touching another."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from heimdex.accounts.models import User
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.reprocess.cutover.conftest import run
from tests.reprocess.reconcile.conftest import MINE, THEIRS, Numbers, finish_runs, numbers, reconcile
from videos.ingest.schedule import start_ingest
from videos.models import ActiveSpace, EmbeddingSpace, Job, RetiredSpace, Scene, SceneEmbedding, Video

pytestmark = pytest.mark.django_db


def long_ago() -> timezone.datetime:
    return timezone.now() - timedelta(days=30)


def rows_lost(video: Video) -> Numbers:
    SceneEmbedding.objects.filter(scene__video=video, scene__index=0, space__channel__in=("clip", "transcript")).delete()
    return {"missing_vectors": 2}


def input_changed(video: Video) -> Numbers:
    SceneEmbedding.objects.filter(scene__video=video, space__channel="visual").update(input_hash="of an older text")
    return {"stale_vectors": 2}


def lost_and_changed(video: Video) -> Numbers:
    return rows_lost(video) | input_changed(video)


def reads_nothing(video: Video) -> Numbers:
    ActiveSpace.objects.filter(owner=video.owner).delete()
    return {"unread_owners": 1}


def reads_an_empty_space(video: Video) -> Numbers:
    SceneEmbedding.objects.filter(owner=video.owner, space__channel="clip").delete()
    return {"missing_vectors": 2}


def left_over_vectors(video: Video) -> Numbers:
    space = unknown_space()
    SceneEmbedding.objects.bulk_create(
        SceneEmbedding(scene=scene, space=space, owner=video.owner, state="embedded", vector=[1.0, 0.0]) for scene in video.scenes.all()
    )
    return {"orphan_vectors": 2}


def unpurged_space(video: Video) -> Numbers:
    left_over_vectors(video)
    RetiredSpace.objects.create(owner=video.owner, space=unknown_space(), retired_at=long_ago())
    return {"overdue_spaces": 1}


def owners_mixed(video: Video) -> Numbers:
    stranger, _ = User.objects.get_or_create(email=f"stranger-{video.owner}")
    Scene.objects.filter(video=video, index=0).update(owner=stranger)
    SceneEmbedding.objects.filter(scene__video=video, scene__index=0, space__channel="clip").update(owner=stranger)
    ReprocessItem.objects.filter(video=video).update(owner=stranger)
    return {"foreign_rows": 3}


def nobody_wakes(video: Video) -> Numbers:
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    start_ingest(video)
    Video.objects.filter(pk=video.pk).update(woken_at=long_ago())
    Job.objects.filter(video=video, position=0).update(state=Job.State.RUNNING, lease_expires_at=long_ago())
    return {"stuck_videos": 1}


def nothing_to_do(video: Video) -> Numbers:
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    return {"jobless_videos": 1}


def run_sleeps(video: Video) -> Numbers:
    queued = start_run(Scope("owner", owner_id=video.owner_id), force=False, entrance="command", requested_by=None)
    ReprocessRun.objects.filter(pk=queued.pk).update(woken_at=long_ago())
    return {"stuck_runs": 1}


def item_outlives_its_run(video: Video) -> Numbers:
    done = run(Scope("owner", owner_id=video.owner_id))
    ReprocessRun.objects.filter(pk=done.pk).update(state=ReprocessRun.State.CANCELLED)
    done.items.update(state=ReprocessItem.State.RUNNING, lease_expires_at=long_ago())
    return {"open_items": 1}


def counters_lie(video: Video) -> Numbers:
    done = run(Scope("owner", owner_id=video.owner_id))
    done.counters.filter(channel="clip").update(planned=7)
    done.counters.filter(channel="visual").update(planned=0)
    done.counters.filter(channel="summary").update(done=F("done") + 3, planned=F("planned") + 3)
    return {"run_counters": 3}


def unknown_space() -> EmbeddingSpace:
    defaults = {"step": "scene_text", "spec_version": "0", "embedder": {"model": "old"}, "dimensions": 2}
    return EmbeddingSpace.objects.get_or_create(channel="transcript", fingerprint="0" * 64, defaults=defaults)[0]


DAMAGES = [
    rows_lost,
    input_changed,
    lost_and_changed,
    reads_nothing,
    reads_an_empty_space,
    left_over_vectors,
    unpurged_space,
    owners_mixed,
    nobody_wakes,
    nothing_to_do,
    run_sleeps,
    item_outlives_its_run,
    counters_lie,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_mended_owner_by_owner(library: tuple[Video, Video], damage: Callable[[Video], Numbers]) -> None:
    mine, theirs = library
    expected = damage(mine)
    assert damage(theirs) == expected

    code, report = reconcile()
    assert (code, report["clean"]) == (3, False)
    assert numbers() == {name: 2 * count for name, count in expected.items()}
    assert numbers("--owner", MINE) == numbers("--owner", THEIRS) == expected, "looking changed something"

    assert numbers("--owner", MINE, "--repair", what="repaired") == expected
    assert numbers("--owner", MINE) == {}, "what is queued counts as missing"
    assert numbers() == expected == numbers("--owner", THEIRS), "the other owner's rows were touched"

    code, report = reconcile("--repair")
    assert (code, report["clean"]) == (0, True)
    assert reconcile()[0] == 0
    finish_runs()
    assert reconcile()[1]["found"] == 0
    assert Video.objects.count() == 2
    assert Scene.objects.count() == 4
