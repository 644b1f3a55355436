"""Tags that are embedded in a file (titles, comments, the place of filming) are neither stored nor shown. The file stays untouched."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.test import Client
from rest_framework.test import APIClient

from heimdex.storage import get_media_storage
from tests.bad_inputs.films import write_film
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, read_state
from videos.ingest.pipeline import ingest
from videos.models import Job, Scene, Video, VideoMetadata

LOOKED_AT = ("validate", "probe", "scenes", "index")
# A script for pages, a formula for spreadsheets, and unreadable characters.
SCRIPT = {"title": "<script>alert(1)</script>", "artist": "=cmd|' /C calc'!A0", "comment": "long " * 200_000}
PLACE = {"location": "+48.8584+002.2945/"}


@pytest.mark.parametrize(
    ("tags", "container", "within", "marks"),
    [
        (SCRIPT, "mp4", b"<script>alert(1)</script>", ("alert(1)", "=cmd", "calc", "long long")),
        (PLACE, "mov", b"+48.8584+002.2945/", ("48.8584", "002.2945")),
        (PLACE, "matroska", b"+48.8584+002.2945/", ("48.8584", "002.2945")),
    ],
    ids=["script and commands", "place in MOV", "place in Matroska"],
)
def test_embedded_tags_are_neither_stored_nor_shown_and_the_file_stays_untouched(
    add_arrived_video: AddArrivedVideo,
    use_stages: UseStages,
    tmp_path: Path,
    tags: dict[str, str],
    container: str,
    within: bytes,
    marks: tuple[str, ...],
) -> None:
    use_stages(*LOOKED_AT)
    film = tmp_path / "film"
    write_film(film, container=container, tags=tags)
    assert within in film.read_bytes()
    video = add_arrived_video(film)
    ingest(video.pk)
    assert read_state(video) == ("indexed", "")

    rows: list[Any] = [*Video.objects.all(), *VideoMetadata.objects.all(), *Scene.objects.all(), *Job.objects.all()]
    api, browser = APIClient(), Client()
    api.force_authenticate(video.owner)
    browser.force_login(video.owner)
    texts = [serializers.serialize("json", rows)]
    texts += [json.dumps(api.get(path).json()) for path in ("/v1/videos", f"/v1/videos/{video.pk}", f"/v1/videos/{video.pk}/status")]
    texts += [browser.get(path).content.decode() for path in ("/", f"/videos/{video.pk}/", "/search/?q=film")]
    assert [mark for text in texts for mark in marks if mark in text] == []

    storage = get_media_storage()
    for key in storage.list_keys(video.storage_prefix):
        with storage.open(key) as file:
            content = file.read()
        if key == video.original_key:
            assert content == film.read_bytes()
        else:
            assert within not in content
            assert b"Exif" not in content
