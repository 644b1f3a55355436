"""The demo film is what it says it is."""

from pathlib import Path

import pytest

from demo.film import ASSETS, SHOTS, DemoFilm, build_demo_film, load_reference_texts
from heimdex.media.probe import probe


def test_it_is_a_video_of_the_promised_kind_with_known_scenes(demo_film: DemoFilm) -> None:
    info = probe(demo_film.path)
    assert (info.width, info.height, info.video_codec, info.audio_codec) == (1280, 720, "h264", "aac")
    assert 20 <= info.duration_s <= 60
    assert [scene.image for scene in demo_film.scenes] == [shot.image for shot in SHOTS]
    assert demo_film.scenes[-1].end_s == pytest.approx(info.duration_s, abs=0.1)
    assert " ".join(scene.words for scene in demo_film.scenes if scene.words) == " ".join(load_reference_texts().values())


def test_only_the_film_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.film.SHOTS", SHOTS[3:4])
    film = build_demo_film(tmp_path / "films" / "demo.mp4")
    assert probe(film.path).duration_s == pytest.approx(SHOTS[3].seconds, abs=0.1)
    assert list(film.path.parent.iterdir()) == [film.path]


def test_nothing_is_left_when_filming_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_disk(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("demo.film._encode_video", no_disk)
    with pytest.raises(OSError, match="No space"):
        build_demo_film(tmp_path / "demo.mp4")
    assert list(tmp_path.iterdir()) == []


def test_every_asset_is_small_and_credited() -> None:
    credits = (ASSETS / "CREDITS.md").read_text(encoding="utf-8")
    for asset in ASSETS.iterdir():
        if asset.suffix in (".jpg", ".flac"):
            assert asset.stat().st_size <= 300_000
            assert asset.name in credits or asset.match("sense_and_sensibility_*.flac")
