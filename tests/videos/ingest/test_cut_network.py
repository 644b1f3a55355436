"""The ingest with the cut network."""

import pytest
from django.conf import LazySettings

from demo.film import FPS
from heimdex.profiles import TRANSNET
from tests import media
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, get_job
from videos.ingest.pipeline import ingest
from videos.models import Scene


@pytest.mark.django_db(transaction=True)
def test_a_configured_network_finds_the_cuts(add_arrived_video: AddArrivedVideo, settings: LazySettings, use_stages: UseStages) -> None:
    settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "cuts": {"BACKEND": TRANSNET, "OPTIONS": {}}}
    use_stages("scenes")
    video = add_arrived_video(media.build_video((40, 45)))

    ingest(video.pk)

    starts = Scene.objects.filter(video=video).order_by("index").values_list("start_s", flat=True)
    assert [start * FPS for start in starts] == pytest.approx([0, 40], abs=1)
    assert all(scene.keyframe_time_s is not None for scene in Scene.objects.filter(video=video))
    assert (get_job(video, "scenes").state, get_job(video, "scenes").progress) == ("done", 1.0)
