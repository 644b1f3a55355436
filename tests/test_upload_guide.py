"""The guide to uploads by the API works as it is written."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from videos.models import Video

GUIDE = (Path(__file__).resolve().parents[1] / "docs" / "how-to" / "upload-by-the-api.md").read_text()
EMAIL, PASSWORD = "you@example.org", "your password"


@pytest.mark.skipif(shutil.which("curl") is None, reason="The guide needs curl.")
@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_guide_upload_a_video(live_server: LiveServer, tmp_path: Path) -> None:
    User.objects.create_user(EMAIL, PASSWORD)
    (tmp_path / "film.mp4").write_bytes(b"as far as the upload can tell, a film")
    script = "\n".join(re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)).replace("http://127.0.0.1:8000", live_server.url)

    run = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    video = Video.objects.get()
    assert (video.owner.email, video.title, video.state) == (EMAIL, "A film", "validating")
    with get_media_storage().open(video.original_key) as file:
        assert file.read() == (tmp_path / "film.mp4").read_bytes()
    completed, status = (json.loads(answer) for answer in run.stdout.replace("}{", "}\n{").splitlines())
    assert completed == status
    assert status["video_id"] == str(video.pk)


@pytest.mark.django_db
def test_the_endpoints_that_the_guide_names_exist(client: Client) -> None:
    schema = client.get("/v1/schema/", headers={"Accept": "application/json"}).json()
    named = re.findall(r"`(GET|POST) (/v1/[^`?]+)[?`]", GUIDE)
    assert named
    assert [(method, path) for method, path in named if method.lower() not in schema["paths"].get(path, {})] == []
