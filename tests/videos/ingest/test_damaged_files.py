"""A file with a part that cannot be decoded is indexed without it, and its owner gets a notice."""

import re
from pathlib import Path

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.bad_inputs import boxes, films
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, read_state
from videos.ingest.pipeline import ingest

LOOKED_AT = ("validate", "probe", "scenes", "index")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("flipped-bytes.mp4", r"About \d+ % of the frames are damaged and could not be decoded completely\."),
        ("cut-in-the-tail.mp4", r"The file ends early: its header states 10 s, but it contains only \d s\."),
    ],
)
def test_damage_is_reported_on_the_page_and_by_the_api(
    add_arrived_video: AddArrivedVideo, use_stages: UseStages, tmp_path: Path, file: str, expected: str
) -> None:
    use_stages(*LOOKED_AT)
    {**boxes.RECIPES, **films.RECIPES}[file](tmp_path / file)
    video = add_arrived_video(tmp_path / file)
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    notice = video.metadata.damage_notice
    assert re.match(expected, notice)
    api, browser = APIClient(), Client()
    api.force_authenticate(video.owner)
    browser.force_login(video.owner)
    assert api.get(f"/v1/videos/{video.pk}/status").json()["notices"] == [notice]
    assert api.get(f"/v1/videos/{video.pk}").json()["metadata"]["damage_notice"] == notice
    assert notice in browser.get(f"/videos/{video.pk}/").content.decode()
