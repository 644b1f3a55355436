"""The demo's change of the text model."""

from subprocess import CalledProcessError
from unittest import mock

import pytest

from demo import second_language
from demo.accounts import Login
from heimdex.environment import Environment

LOGINS = Login("demo@example.org", "x"), Login("admin@example.org", "x")


@pytest.mark.parametrize(
    ("variables", "is_changed"),
    [({}, True), ({"PROFILE": "local"}, False), ({"MODELS": '{"text": {"backend": "openai", "model": "m", "dimensions": 8}}'}, False)],
)
def test_only_the_packaged_text_model_is_changed(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_changed: bool) -> None:
    monkeypatch.delenv("HEIMDEX_MODELS")
    for name, value in variables.items():
        monkeypatch.setenv(f"HEIMDEX_{name}", value)
    assert (second_language.find_obstacle(Environment.load()) == "") is is_changed


def test_the_models_of_before_are_restored_when_the_change_fails() -> None:
    commands: list[tuple[str, str]] = []

    def run_manage(*arguments: str, variables: dict[str, str] | None = None) -> str:
        commands.append((arguments[0], (variables or {}).get("HEIMDEX_PROFILE", "")))
        if arguments[0] == "reprocess_embeddings":
            raise CalledProcessError(1, "manage.py")
        return '{"url": "http://127.0.0.1:8000"}'

    answers = {"post.return_value": {"stale": 0, "model_calls": 0, "channels": []}, "get.return_value": {"id": "1b4e28ba"}}
    with (
        mock.patch("demo.second_language.run_manage", run_manage),
        mock.patch("demo.second_language._search"),
        mock.patch("demo.second_language.Client", return_value=mock.Mock(**answers)),
        pytest.raises(CalledProcessError),
    ):
        second_language.change_model(*LOGINS)
    assert [command for command in commands if command[0] != "status"] == [
        ("down", ""),
        ("up", "packaged-multilingual"),
        ("reprocess_embeddings", "packaged-multilingual"),
        ("down", ""),
        ("up", ""),
    ]
