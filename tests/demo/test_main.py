"""The demo's arguments, its failures, and what it reprocesses."""

from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from rich.console import Console

from demo import __main__ as demo
from demo import show
from demo.client import ApiError, Client


@pytest.fixture(autouse=True)
def printed(monkeypatch: pytest.MonkeyPatch) -> Console:
    """Record what the demo prints."""
    monkeypatch.setattr(show, "console", Console(record=True, width=110))
    return show.console


def test_what_is_not_a_video_is_rejected_before_the_services_start(tmp_path: Path, printed: Console) -> None:
    text = tmp_path / "README.md"
    text.write_text("# Read me")
    with mock.patch("demo.__main__._run") as run:
        assert [demo.main([str(path)]) for path in (text, tmp_path, tmp_path / "absent.mp4")] == [2, 2, 2]
    assert not run.called
    lines = printed.export_text().splitlines()
    assert lines == [
        f"{text} is not a video (text/markdown). Choose a video file such as MP4, MOV, MKV or WebM.",
        f"{tmp_path} is not a file. Choose a video file such as MP4, MOV, MKV or WebM.",
        f"There is no file {tmp_path / 'absent.mp4'}.",
    ]


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "film.unheard-of"])
def test_a_video_or_a_file_of_unknown_type_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with mock.patch("demo.__main__._run", return_value=0) as run:
        assert demo.main([str(tmp_path / name)]) == 0
    assert run.call_args.args[1] == tmp_path / name


def test_help_prints_the_usage_and_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with mock.patch("demo.__main__._run") as run, pytest.raises(SystemExit) as ended:
        demo.main(["--help"])
    assert ended.value.code == 0
    assert not run.called
    assert capsys.readouterr().out.startswith("usage: python -m demo")


def test_a_failure_names_the_command_that_stops_the_services(printed: Console) -> None:
    with mock.patch("demo.__main__._run", side_effect=ApiError("GET /v1/videos → 500")):
        assert demo.main([]) == 1
    assert "The services still run. Stop them with: make down" in printed.export_text()


def test_only_the_library_of_the_demo_account_is_recomputed(printed: Console) -> None:
    plan = {"stale": 0, "model_calls": 0, "channels": []}
    operator = mock.Mock(Client, post=mock.Mock(return_value=plan))
    with mock.patch("subprocess.run", return_value=SimpleNamespace(stdout="")) as run:
        demo._reprocess(operator, {"id": "1b4e28ba", "email": "demo@example.org"})
    assert {call.args[1]["owner_id"] for call in operator.post.call_args_list} == {"1b4e28ba"}
    commands = [" ".join(call.args[0][2:]) for call in run.call_args_list]
    scope = "reprocess_embeddings --scope owner --owner-id demo@example.org"
    assert commands == [f"{scope} --force --wait", f"{scope} --wait"]
    assert f"$ manage.py {scope} --force --wait" in printed.export_text()
