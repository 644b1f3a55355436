"""The limits of a sandboxed process grow with the file, and its messages are data that cannot change anything in the worker."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.info import MediaInfo, MediaLimits, is_credible
from heimdex.media.sandbox_protocol import (
    MAX_TEXT_BYTES,
    DecoderLimits,
    InvalidMessage,
    SandboxLimits,
    decode,
    encode,
    limit_decoding,
    limit_probe,
)
from tests.heimdex.media import misbehaving
from videos.ingest import stage

LIMITS = DecoderLimits(memory_bytes=1000, base_s=30.0, per_second=10.0)


def describe_video(duration_s: float, fps: float) -> MediaInfo:
    return MediaInfo("mp4", duration_s, 320, 240, fps, 0, "h264", None, 1, 0, 0.0)


def test_a_probe_gets_a_second_per_five_megabytes() -> None:
    assert limit_probe(LIMITS, 0) == SandboxLimits(1000, 30.0, 60.0, 60.0)
    assert limit_probe(LIMITS, 50_000_000) == SandboxLimits(1000, 40.0, 80.0, 80.0)


def test_decoding_gets_time_per_second_of_video_and_twice_that_on_a_busy_machine() -> None:
    assert limit_decoding(LIMITS, describe_video(2.0, 30.0)) == SandboxLimits(1000, 50.0, 100.0, 60.0)


def test_a_high_frame_rate_gets_more_time_and_a_low_one_no_less() -> None:
    assert limit_decoding(LIMITS, describe_video(2.0, 60.0)).cpu_s == 70.0
    assert limit_decoding(LIMITS, describe_video(2.0, 10.0)).cpu_s == 50.0


def pack(text: object, *blobs: bytes) -> bytes:
    """Build a message as a hostile process would, without `encode`."""
    content = json.dumps(text).encode()
    return b"".join([len(content).to_bytes(4, "big"), content, *blobs])


def test_a_message_arrives_as_it_was_sent() -> None:
    info = describe_video(2.0, 30.0)
    message = ("item", [1, 2.5, None, True, "é\ud800", b"\x00\xff"], {"info": info, 7: "seven"}, float("inf"), np.float32(0.5))
    assert decode(encode(message)) == ("item", [1, 2.5, None, True, "é\ud800", b"\x00\xff"], {"info": info, 7: "seven"}, float("inf"), 0.5)
    first, second = np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((0, 4), np.uint8)
    received = decode(encode([first, second]))
    assert np.array_equal(received[0], first)
    assert (received[1].shape, received[1].dtype) == ((0, 4), np.uint8)


# Pickles: change a class of the worker; start a process; make the worker allocate gigabytes.
CHANGE_A_CLASS = b"\x80\x02cheimdex.media.info\nMediaInfo\nN}X\x09\x00\x00\x00has_audio\x88s\x86b."
START_A_PROCESS = b"\x80\x02cheimdex.media.sandbox\n_ChildProcess\n(cheimdex.media.info\nMediaInfo\n)NNtR."
ALLOCATE = b"\x80\x02Nr\x00\x00\x00\x01."


@pytest.mark.parametrize("content", [CHANGE_A_CLASS, START_A_PROCESS, ALLOCATE])
def test_a_pickle_is_no_message(content: bytes) -> None:
    # Without a length, and with one that fits.
    for message in (content, len(content).to_bytes(4, "big") + content):
        with pytest.raises(InvalidMessage):
            decode(message)
    assert isinstance(MediaInfo.has_audio, property)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        # It would start a process, with limits that the sender chooses.
        ("heimdex.media.sandbox", "_ChildProcess"),
        ("heimdex.media.sandbox_protocol", "MessageReader"),
        ("heimdex.media.errors", "MediaError"),
        ("subprocess", "Popen"),
        ("heimdex.leases", "Lease"),
    ],
)
def test_a_message_builds_only_records_of_decoders(module: str, name: str) -> None:
    importlib.import_module(module)
    with pytest.raises(InvalidMessage):
        decode(pack({"kind": "record", "module": module, "name": name, "items": []}))


@pytest.mark.parametrize(
    "message",
    [
        # One blob may not be read twice: it would be multiplied.
        pack([{"kind": "bytes", "size": 4}] * 2, b"blob"),
        pack({"kind": "bytes", "size": -1}, b"blob"),
        pack({"kind": "array", "size": 8, "type": "|O", "shape": [1]}, b"12345678"),
        pack({"kind": "array", "size": 8, "type": "<f8", "shape": [10**12]}, b"12345678"),
        pack({"kind": "other"}),
        (MAX_TEXT_BYTES + 1).to_bytes(4, "big") + b"0" * (MAX_TEXT_BYTES + 1),
        b"\x00\x00\xc3\x50" + b"[" * 50_000,
        b"\x00",
    ],
)
def test_a_message_stays_as_small_as_it_is(message: bytes) -> None:
    with pytest.raises(InvalidMessage):
        decode(message)


def test_a_value_that_is_no_data_cannot_be_sent() -> None:
    for value in (object(), MediaErrorCode.DAMAGED, Path("/etc/passwd")):
        with pytest.raises(TypeError):
            encode(value)


@pytest.mark.parametrize(
    "claim",
    [
        {"duration_s": 3e8},
        {"duration_s": float("inf")},
        {"duration_s": float("nan")},
        {"duration_s": -1.0},
        {"fps": 1e9},
        {"fps": float("nan")},
        {"width": 10**9},
        {"height": 0},
        {"start_s": float("inf")},
    ],
)
def test_a_claim_beyond_the_limits_is_not_credible(claim: dict[str, float]) -> None:
    info = describe_video(2.0, 30.0)
    assert is_credible(info, MediaLimits())
    assert not is_credible(replace(info, **claim), MediaLimits())  # type: ignore[arg-type]


def test_a_decoder_that_claims_ten_years_gets_no_time_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    monkeypatch.setattr(stage, "probe", misbehaving.claim_ten_years)
    source = stage.SourceFile("key")
    source.__dict__["path"] = path
    with pytest.raises(MediaError) as caught:
        _ = source.info
    assert caught.value.code == MediaErrorCode.DECODER_CRASHED
