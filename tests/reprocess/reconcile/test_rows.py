"""Damage to rows is found, counted, and repaired for one owner without changes to another."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from heimdex.accounts.models import User
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.reprocess.cutover.conftest import run
from tests.reprocess.reconcile.conftest import MINE, THEIRS, IssueCounts, count_issues, extract_counts, finish_runs, reconcile
from videos.ingest.schedule import start_ingest
from videos.models import ActiveSpace, EmbeddingSpace, Job, RetiredSpace, Scene, SceneEmbedding, Video

pytestmark = pytest.mark.django_db


def get_old_time() -> datetime:
    return timezone.now() - timedelta(days=30)


def delete_rows(video: Video) -> IssueCounts:
    SceneEmbedding.objects.filter(scene__video=video, scene__index=0, space__channel__in=("clip", "transcript")).delete()
    return {"missing_vectors": 2}


def change_inputs(video: Video) -> IssueCounts:
    SceneEmbedding.objects.filter(scene__video=video, space__channel="visual").update(input_hash="of an older text")
    return {"stale_vectors": 2}


def delete_and_change_rows(video: Video) -> IssueCounts:
    return delete_rows(video) | change_inputs(video)


def deactivate_spaces(video: Video) -> IssueCounts:
    ActiveSpace.objects.filter(owner=video.owner).delete()
    return {"unread_owners": 1}


def empty_active_space(video: Video) -> IssueCounts:
    SceneEmbedding.objects.filter(owner=video.owner, space__channel="clip").delete()
    return {"missing_vectors": 2}


def add_orphan_vectors(video: Video) -> IssueCounts:
    space = make_unknown_space()
    SceneEmbedding.objects.bulk_create(
        SceneEmbedding(scene=scene, space=space, owner=video.owner, state="embedded", vector=[1.0, 0.0]) for scene in video.scenes.all()
    )
    return {"orphan_vectors": 2}


def add_overdue_space(video: Video) -> IssueCounts:
    add_orphan_vectors(video)
    RetiredSpace.objects.create(owner=video.owner, space=make_unknown_space(), retired_at=get_old_time())
    return {"overdue_spaces": 1}


def mix_owners(video: Video) -> IssueCounts:
    stranger, _ = User.objects.get_or_create(email=f"stranger-{video.owner}")
    Scene.objects.filter(video=video, index=0).update(owner=stranger)
    SceneEmbedding.objects.filter(scene__video=video, scene__index=0, space__channel="clip").update(owner=stranger)
    ReprocessItem.objects.filter(video=video).update(owner=stranger)
    return {"foreign_rows": 3}


def leave_video_stuck(video: Video) -> IssueCounts:
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    start_ingest(video)
    Video.objects.filter(pk=video.pk).update(woken_at=get_old_time())
    Job.objects.filter(video=video, position=0).update(state=Job.State.RUNNING, lease_expires_at=get_old_time())
    return {"stuck_videos": 1}


def leave_video_without_jobs(video: Video) -> IssueCounts:
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    return {"jobless_videos": 1}


def leave_run_stuck(video: Video) -> IssueCounts:
    queued = start_run(Scope("owner", owner_id=video.owner_id), force=False, entry_point="command", requested_by=None)
    ReprocessRun.objects.filter(pk=queued.pk).update(woken_at=get_old_time())
    return {"stuck_runs": 1}


def leave_item_open(video: Video) -> IssueCounts:
    done = run(Scope("owner", owner_id=video.owner_id))
    ReprocessRun.objects.filter(pk=done.pk).update(state=ReprocessRun.State.CANCELLED)
    done.items.update(state=ReprocessItem.State.RUNNING, lease_expires_at=get_old_time())
    return {"open_items": 1}


def falsify_counters(video: Video) -> IssueCounts:
    done = run(Scope("owner", owner_id=video.owner_id))
    done.counters.filter(channel="clip").update(planned=7)
    done.counters.filter(channel="visual").update(planned=0)
    done.counters.filter(channel="summary").update(done=F("done") + 3, planned=F("planned") + 3)
    return {"run_counters": 3}


def make_unknown_space() -> EmbeddingSpace:
    defaults = {"step": "scene_text", "spec_version": "0", "embedder": {"model": "old"}, "dimensions": 2}
    return EmbeddingSpace.objects.get_or_create(channel="transcript", fingerprint="0" * 64, defaults=defaults)[0]


DAMAGES = [
    delete_rows,
    change_inputs,
    delete_and_change_rows,
    deactivate_spaces,
    empty_active_space,
    add_orphan_vectors,
    add_overdue_space,
    mix_owners,
    leave_video_stuck,
    leave_video_without_jobs,
    leave_run_stuck,
    leave_item_open,
    falsify_counters,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_repaired_owner_by_owner(library: tuple[Video, Video], damage: Callable[[Video], IssueCounts]) -> None:
    mine, theirs = library
    expected = damage(mine)
    assert damage(theirs) == expected

    code, report = reconcile()
    assert (code, report["clean"]) == (3, False)
    assert extract_counts(report) == {name: 2 * count for name, count in expected.items()}
    assert count_issues("--owner", THEIRS) == expected, "a check without --repair changed rows"

    assert count_issues("--owner", MINE, "--repair", what="repaired") == expected
    assert count_issues("--owner", MINE) == {}, "queued work counts as missing"
    assert count_issues() == expected, "the rows of the other owner were changed"

    code, report = reconcile("--repair")
    assert (code, report["clean"]) == (0, True)
    assert reconcile()[0] == 0
    finish_runs()
    assert reconcile()[1]["found"] == 0
    assert Video.objects.count() == 2
    assert Scene.objects.count() == 4
