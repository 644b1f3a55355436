"""Korean from the file to the transcript, the search and the page, with the packaged multilingual models and synthetic speech."""

import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from django.test import Client
from numpy.typing import NDArray
from pytest_django import Settings

from heimdex.profiles import FASTER_WHISPER, UNIVERSAL_SENTENCE_ENCODER
from tests import media
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, read_state
from videos.ingest.pipeline import ingest

# "Korean kimchi and bibimbap taste good." A formant voice speaks it: whole words of it are understood, not each.
SENTENCE = "한국의 김치와 비빔밥은 맛있습니다."
VOICE = "ko+m3"
UNDERSTOOD = "비빔밥"


@pytest.fixture
def speech(tmp_path: Path) -> NDArray[np.float32]:
    """Speak the sentence with espeak-ng. Return mono samples at 16 kHz."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("Without espeak-ng (Debian and Ubuntu: apt install espeak-ng) nothing speaks Korean.")
    path = tmp_path / "speech.wav"
    subprocess.run([program, "-v", VOICE, "-s", "140", "-p", "40", "-w", str(path), SENTENCE], check=True)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=media.RATE)
    with av.open(str(path)) as container:
        frames = [part for frame in [*container.decode(audio=0), None] for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


@pytest.mark.django_db(transaction=True)
def test_korean_speech_is_transcribed_found_and_shown(
    add_arrived_video: AddArrivedVideo,
    use_stages: UseStages,
    settings: Settings,
    client: Client,
    speech: NDArray[np.float32],
    tmp_path: Path,
) -> None:
    settings.MODEL_BACKENDS = {
        **settings.MODEL_BACKENDS,
        "speech": {"BACKEND": FASTER_WHISPER, "OPTIONS": {"model": "base"}},
        "text": {"BACKEND": UNIVERSAL_SENTENCE_ENCODER, "OPTIONS": {}},
    }
    use_stages("validate", "probe", "scenes", "transcript", "embed", "index")
    path = tmp_path / "korean.mp4"
    media.write_video(path, [round(speech.size / media.RATE * media.FPS)], audio=speech)
    video = add_arrived_video(path, title="Lunch", language="ko")

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    scene = video.scenes.get()
    assert UNDERSTOOD in scene.transcript
    assert video.metadata.language == "ko"
    client.force_login(video.owner)
    for query in (scene.transcript, "Korean food, kimchi and bibimbap"):
        results = client.post("/v1/search", {"q": query}, content_type="application/json").json()["results"]
        assert [result["scene_id"] for result in results] == [str(scene.pk)], query
    page = client.get(f"/videos/{video.pk}/").content.decode()
    assert scene.transcript in page
    assert "Korean" in page
