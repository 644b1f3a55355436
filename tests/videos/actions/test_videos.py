"""Delete a video while workers write for it."""

import contextlib
import threading
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection, transaction

from heimdex.leases import LeasedModel, LeaseLost
from heimdex.storage import get_media_storage
from reprocess.models import EmbeddingSpec, ReprocessItem, ReprocessRun
from reprocess.spec import get_effective_spec
from tests.library import get_lease, make_user, make_video
from videos.actions.videos import delete_video
from videos.models import Job, Scene, SceneEmbedding, Video

pytestmark = pytest.mark.django_db(transaction=True)


def write_scene(video: Video) -> None:
    Scene.objects.create(video=video, owner_id=video.owner_id, index=1, start_s=5, end_s=6)


def write_vector(video: Video) -> None:
    configured, channel = next(iter(get_effective_spec().list_channels()))
    scene = video.scenes.get()
    SceneEmbedding.objects.create(
        scene=scene, space=configured.ensure_space(channel), owner_id=video.owner_id, state=SceneEmbedding.State.EMPTY
    )


@pytest.fixture
def video() -> Video:
    """Return a video with an ingest job and an item of a run."""
    video = make_video(make_user(), ["A boat."])
    Job.objects.create(video=video, owner=video.owner, stage="scenes", position=0, state=Job.State.RUNNING, lease_token=uuid4())
    spec = EmbeddingSpec.objects.create(digest="0" * 64, version="0", definition={})
    run = ReprocessRun.objects.create(spec=spec, spec_version="0", scope="all", entry_point="command", plan={}, video_count=1)
    ReprocessItem.objects.create(run=run, video=video, owner=video.owner, turn=0, state=ReprocessItem.State.RUNNING, lease_token=uuid4())
    # Created first, so that the test's own transaction does not lock the space.
    write_vector(video)
    SceneEmbedding.objects.all().delete()
    return video


@pytest.mark.parametrize(("model", "write"), [(Job, write_scene), (ReprocessItem, write_vector)])
def test_deleting_a_video_removes_uncommitted_writes_and_stops_the_worker(
    video: Video, model: type[LeasedModel], write: Callable[[Video], None]
) -> None:
    lease = get_lease(model._default_manager.get())
    committed = []
    writing = threading.Event()

    def write_under_lease() -> None:
        with contextlib.closing(connection), lease.transaction():
            write(video)
            writing.set()
            # Long enough for the deletion to wait for this transaction.
            time.sleep(0.3)
            transaction.on_commit(lambda: committed.append(True))

    worker = threading.Thread(target=write_under_lease)
    worker.start()
    assert writing.wait(10)
    delete_video(Video.objects.get(pk=video.pk))
    worker.join()

    assert committed == [True]
    assert not Video.objects.exists()
    assert not Scene.objects.exists()
    assert not SceneEmbedding.objects.exists()
    assert not list(get_media_storage().list_keys(video.storage_prefix))
    with pytest.raises(LeaseLost), lease.transaction():
        pass
