"""The probe measures good files, and rejects bad ones with a reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heimdex.media.errors import MediaError
from heimdex.media.info import MediaLimits
from heimdex.media.probe import probe
from tests import media


def test_a_video_with_audio_is_measured() -> None:
    info = probe(media.build_video((50,), audio="tone"))
    assert (info.width, info.height, info.video_codec, info.audio_codec, info.rotation) == (320, 240, "h264", "aac", 0)
    assert info.duration_s == pytest.approx(2.0, abs=0.1)
    assert info.fps == pytest.approx(25)


def test_a_video_without_audio_is_accepted() -> None:
    info = probe(media.build_video((50,)))
    assert not info.has_audio


def test_a_rotated_video_has_its_displayed_size() -> None:
    info = probe(media.build_video((50,), rotation=90))
    assert (info.width, info.height) == (240, 320)
    assert info.rotation % 180 == 90


def test_a_broken_tail_does_not_affect_the_rest(tmp_path: Path) -> None:
    whole = media.build_demo_video().read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    assert 5 < probe(cut).duration_s < 35


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (media.build_empty, "empty_file"),
        (media.build_text_named_mp4, "not_a_video"),
        (media.build_truncated, "truncated"),
        (media.build_audio_only, "no_video_stream"),
        (media.build_still_image, "still_picture"),
        (lambda: media.build_still_image("jpg"), "still_picture"),
    ],
)
def test_a_bad_file_is_rejected_with_a_reason(build: Callable[[], Path], code: str) -> None:
    with pytest.raises(MediaError) as refused:
        probe(build())
    assert refused.value.code == code
    assert str(refused.value).endswith(".")
    assert "Error" not in str(refused.value)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (MediaLimits(max_duration_s=1), "too_long"),
        (MediaLimits(max_pixels=320 * 239), "too_large_picture"),
        (MediaLimits(max_fps=20), "too_many_frames"),
        (MediaLimits(max_streams=1), "too_many_streams"),
    ],
)
def test_a_file_beyond_a_limit_is_rejected(limits: MediaLimits, code: str) -> None:
    with pytest.raises(MediaError) as refused:
        probe(media.build_video((50,), audio="tone"), limits)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{other}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
)
def test_playlists_are_never_followed(text: str, tmp_path: Path) -> None:
    listing = tmp_path / "list.mp4"
    listing.write_text(text.format(other=media.build_video((50,))))
    with pytest.raises(MediaError) as refused:
        probe(listing)
    assert refused.value.code == "not_a_video"


def test_a_codec_that_is_not_allowed_is_rejected(tmp_path: Path) -> None:
    import av

    path = tmp_path / "lossless.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError) as refused:
        probe(path)
    assert refused.value.code == "codec_not_allowed"
    assert "This video's format, " in str(refused.value)
    assert "is not accepted. Export the video as MP4 (H.264) and upload that file." in str(refused.value)


def test_metadata_in_broken_utf8_does_not_matter(tmp_path: Path) -> None:
    import av

    path = tmp_path / "titled.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "TITLEMARK"
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"TITLEMARK", b"\xff\xfeTLEMARK"))
    assert probe(path).width == 64
