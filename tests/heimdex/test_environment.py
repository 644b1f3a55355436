"""Invalid variables end the start with a line each that names the variable and the fix."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heimdex.environment import Environment, find_unknown_variables
from heimdex.lexical_settings import build_lexical_settings

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HEIMDEX_"):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Environment:
    for name, value in variables.items():
        monkeypatch.setenv(f"HEIMDEX_{name}", value)
    return Environment.load()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("STORAGE", "s3", "HEIMDEX_S3_BUCKET: required with HEIMDEX_STORAGE=s3; set it to the name of the bucket (it is '')"),
        ("LEXICAL", "opensearch", "HEIMDEX_OPENSEARCH_URL: required with HEIMDEX_LEXICAL=opensearch; set it to the server, such as https"),
        ("LEXICAL", "sqlite", "HEIMDEX_LEXICAL: Input should be 'postgres' or 'opensearch' (it is 'sqlite')"),
        ("OPENSEARCH_URL", "search.example.org:9200", "HEIMDEX_OPENSEARCH_URL: must look like https://search.example.org:9200; it needs"),
        ("OPENSEARCH_URL", "https://host:99999", "HEIMDEX_OPENSEARCH_URL: must look like https://search.example.org:9200; the port"),
        ("OPENSEARCH_USER", "ann", "HEIMDEX_OPENSEARCH_PASSWORD: set both HEIMDEX_OPENSEARCH_USER and HEIMDEX_OPENSEARCH_PASSWORD"),
        ("OPENSEARCH_INDEX", "Heimdex*", "HEIMDEX_OPENSEARCH_INDEX: String should match pattern"),
        ("TIME_ZONE", "Mars", "HEIMDEX_TIME_ZONE: no such time zone; write one such as UTC or Europe/Berlin (it is 'Mars')"),
        ("TIME_ZONE", "", "HEIMDEX_TIME_ZONE: no such time zone"),
        ("TIME_ZONE", "../etc", "HEIMDEX_TIME_ZONE: no such time zone"),
        ("TIME_ZONE", "Europe", "HEIMDEX_TIME_ZONE: no such time zone"),
        ("HOME", "~nobody-has-this-name/data", "HEIMDEX_HOME: no such user"),
        ("PRICES", "x", "HEIMDEX_PRICES: not JSON, Expecting value: line 1 column 1 (char 0) (it is 'x')"),
        ("PRICES", '{"large": -1}', 'HEIMDEX_PRICES, key "large": Input should be greater than or equal to 0'),
        ("PRICES", '{"large": NaN}', 'HEIMDEX_PRICES, key "large": '),
        ("MAX_RUN_COST", "1e12", "HEIMDEX_MAX_RUN_COST: "),
        ("KEEP_RETIRED_DAYS", "999999999999", "HEIMDEX_KEEP_RETIRED_DAYS: Input should be less than or equal to 36500"),
        ("LONGEST_SCENE_S", "inf", "HEIMDEX_LONGEST_SCENE_S: Input should be less than or equal to 86400"),
        ("MODELS", '{"foo": {}}', "HEIMDEX_MODELS, key \"foo\": Input should be 'text', 'image',"),
        ("MODELS", '{"text": {"backend": 7}}', 'HEIMDEX_MODELS, key "text.backend": Input should be a valid string'),
        ("REGISTRATION", "friends", "HEIMDEX_REGISTRATION: Input should be 'open', 'invite' or 'closed' (it is 'friends')"),
        ("OCR", "maybe", "HEIMDEX_OCR: write on or off (yes and no, true and false, 1 and 0 are accepted too) (it is 'maybe')"),
    ],
)
def test_an_invalid_value_is_reported_with_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str) -> None:
    with pytest.raises(SystemExit) as ended:
        load(monkeypatch, **{name: value})
    heading, *lines = str(ended.value.code).splitlines()
    assert heading == "Heimdex cannot start. Correct these environment variables:"
    assert len(lines) == 1
    assert lines[0].startswith(f"  {line}")


@pytest.mark.parametrize("name", [name for name, field in Environment.model_fields.items() if field.annotation in (int, float)])
def test_every_number_has_an_upper_limit(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for value in ("1" + "0" * 30, "1" + "0" * 5000):
        with pytest.raises(SystemExit, match=f"HEIMDEX_{name.upper()}: "):
            load(monkeypatch, **{name.upper(): value})


@pytest.mark.parametrize(
    "variables",
    [
        {"MODELS": '{"text": {"api_key": "pr1vate"}'},
        {"MODELS": '{"text": {"backend": ["pr1vate"]}}'},
        {"MODELS": '{"text": "pr1vate"}'},
        {"STORAGE": "s3", "S3_BUCKET": "films", "S3_SECRET_KEY": "pr1vate"},
        {"OPENSEARCH_URL": "https://ann:pr1vate@search.example.org"},
        {"OPENSEARCH_PASSWORD": "pr1vate"},
        {"EMAIL_URL": "smtp://ann:pr1vate@mail.example.org", "PUBLIC_URL": "https://films.example.org"},
        {"EMAIL_URL": "smtps://ann:pr1vate@mail.example.org", "EMAIL_FROM": "films@example.org"},
    ],
)
def test_no_message_contains_a_key(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load(monkeypatch, **variables)
    assert "pr1vate" not in str(ended.value.code)


def test_valid_values_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for keys in ({}, {"S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"}):
        environment = load(monkeypatch, STORAGE="s3", S3_BUCKET="films", TIME_ZONE="Europe/Berlin", PRICES='{"small": 0.02}', **keys)
    assert (environment.s3_bucket, environment.time_zone, str(environment.prices["small"])) == ("films", "Europe/Berlin", "0.02")
    assert load(monkeypatch, PRICES="").prices == {}
    # Compose passes an empty value for a variable that is not set.
    assert load(monkeypatch, MAX_OWNER_BYTES="").max_owner_bytes is None
    assert load(monkeypatch, MAX_OWNER_MINUTES="90").max_owner_minutes == 90
    assert load(monkeypatch, OCR="off").ocr is False


def test_words_are_searched_where_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(build_lexical_settings(load(monkeypatch))) == ["default"]
    login = {"OPENSEARCH_USER": "ann", "OPENSEARCH_PASSWORD": "pr1vate"}
    environment = load(monkeypatch, LEXICAL="opensearch", OPENSEARCH_URL="https://search.example.org:9200", **login)
    backends = build_lexical_settings(environment)
    assert list(backends) == ["default", "postgres"]
    assert backends["default"]["OPTIONS"]["password"] in environment.list_secrets()
    with pytest.raises(SystemExit, match="HEIMDEX_OPENSEARCH_AWS_REGION: requests are either signed or have a password"):
        load(monkeypatch, OPENSEARCH_AWS_REGION="eu-central-1")


def test_emails_need_a_sender_and_the_sites_url(monkeypatch: pytest.MonkeyPatch) -> None:
    url = {"EMAIL_URL": "smtps://ann:pr1vate@mail.example.org", "PUBLIC_URL": "https://films.example.org"}
    for sender in ("", "Heimdex", "films@", "a@b@example.org", "films@example.org\nBcc: all@example.org"):
        with pytest.raises(SystemExit, match="HEIMDEX_EMAIL_FROM: required with HEIMDEX_EMAIL_URL"):
            load(monkeypatch, **url, EMAIL_FROM=sender)
    for sender in ("films@example.org", "Heimdex <films@example.org>"):
        environment = load(monkeypatch, **url, EMAIL_FROM=sender)
    assert "pr1vate" in environment.list_secrets()
    with pytest.raises(SystemExit, match="HEIMDEX_EMAIL_URL: set HEIMDEX_PUBLIC_URL too"):
        load(monkeypatch, **{**url, "PUBLIC_URL": ""})


def test_unknown_variables_are_named_with_the_most_similar_setting() -> None:
    names = ["HEIMDEX_PROFLIE", "HEIMDEX_COLOR", "HEIMDEX_HOME", "heimdex_ocr", "HEIMDEX_SUPERVISED_HOME", "HOME"]
    assert find_unknown_variables(names) == [
        "HEIMDEX_COLOR is not a setting, so it has no effect.",
        "HEIMDEX_PROFLIE is not a setting, so it has no effect. Did you mean HEIMDEX_PROFILE?",
    ]


def test_a_command_warns_about_unknown_variables(tmp_path: Path) -> None:
    environment = {**os.environ, "HEIMDEX_HOME": str(tmp_path), "HEIMDEX_PROFLIE": "local"}
    ended = subprocess.run([sys.executable, "manage.py", "check"], cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0
    assert "Did you mean HEIMDEX_PROFILE?" in ended.stderr
