"""An upload may name the spoken language."""

import pytest
from rest_framework.test import APIClient

from tests.videos.api.conftest import FILE, INIT
from videos.models import Video


@pytest.mark.parametrize(("given", "kept"), [("de", "de"), ("pt-BR", "pt"), ("English", "en"), ("", "")])
def test_a_language_is_stored_as_its_code(api: APIClient, given: str, kept: str) -> None:
    video_id = api.post(INIT, {**FILE, "language": given}).json()["video_id"]
    assert Video.objects.get(pk=video_id).language == kept
    assert api.get(f"/v1/videos/{video_id}").json()["language"] == kept


@pytest.mark.parametrize("given", ["Klingon", "<b>", "x" * 31, "\x00"])
def test_an_unknown_language_is_reported_by_field(api: APIClient, given: str) -> None:
    refused = api.post(INIT, {**FILE, "language": given})
    assert refused.status_code == 400
    assert set(refused.json()) == {"language"}
    assert not Video.objects.exists()
