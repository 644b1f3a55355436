"""The profiles, and the environment variable that overrides one of their models."""

import pytest
from django.utils.module_loading import import_string

from heimdex.environment import Environment
from heimdex.profiles import PROFILES, SHORT_NAMES, TRANSNET


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.delenv("HEIMDEX_MODELS")

    def load(profile: str, **variables: str):  # type: ignore[no-untyped-def]
        monkeypatch.setenv("HEIMDEX_PROFILE", profile)
        for name, value in variables.items():
            monkeypatch.setenv(f"HEIMDEX_{name}", value)
        return PROFILES[profile](Environment.load())

    return load


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_a_class_for_every_alias(models, profile: str) -> None:  # type: ignore[no-untyped-def]
    backends = models(profile, FACES="on")
    assert set(backends) == {"text", "image", "speech", "description", "ocr", "faces"}
    for backend in backends.values():
        import_string(backend["BACKEND"])(**backend["OPTIONS"])


def test_cuts_are_detected_by_a_rule_unless_a_network_is_configured(models) -> None:  # type: ignore[no-untyped-def]
    assert "cuts" not in models("packaged")
    assert models("local", CUTS="transnetv2")["cuts"] == {"BACKEND": TRANSNET, "OPTIONS": {}}


def test_options_are_merged_into_the_profiles_model(models) -> None:  # type: ignore[no-untyped-def]
    text = models("local", MODELS='{"text": {"similarity_floor": 0.7}}')["text"]
    assert text["OPTIONS"]["similarity_floor"] == 0.7
    assert text["OPTIONS"]["model"] == "intfloat/multilingual-e5-small"


def test_another_backend_replaces_the_profiles_model_and_gets_the_server(models) -> None:  # type: ignore[no-untyped-def]
    override = '{"text": {"backend": "openai", "model": "bge-m3", "dimensions": 1024}}'
    text = models("packaged", MODELS=override, OPENAI_BASE_URL="http://gpu:8000/v1", OPENAI_API_KEY="k")["text"]
    assert text["BACKEND"] == SHORT_NAMES["openai"]
    assert text["OPTIONS"] == {"model": "bge-m3", "dimensions": 1024, "base_url": "http://gpu:8000/v1", "api_key": "k"}


@pytest.mark.parametrize(("alias", "backend"), [("speech", "openai_speech"), ("description", "openai_vision")])
def test_speech_and_images_can_use_a_server_too(models, alias: str, backend: str) -> None:  # type: ignore[no-untyped-def]
    server = {"OPENAI_BASE_URL": "http://gpu:8000/v1", "OPENAI_API_KEY": "k"}
    expected = {"base_url": "http://gpu:8000/v1", "api_key": "k"}
    own = models("packaged", MODELS=f'{{"{alias}": {{"backend": "{backend}", "model": "mine"}}}}', **server)[alias]
    assert own == {"BACKEND": SHORT_NAMES[backend], "OPTIONS": {"model": "mine", **expected}}
    assert models("openai", **server, MODELS="{}")[alias]["BACKEND"] == SHORT_NAMES[backend]


def test_local_describes_with_a_configured_server_and_otherwise_with_tags(models) -> None:  # type: ignore[no-untyped-def]
    assert models("local")["description"] == {"BACKEND": SHORT_NAMES["tags"], "OPTIONS": {}}
    assert models("local", OPENAI_API_KEY="k")["description"]["BACKEND"] == SHORT_NAMES["tags"]
    server = {"OPENAI_BASE_URL": "http://gpu:8000/v1", "OPENAI_API_KEY": "k"}
    described = models("local", **server, MODELS='{"description": {"model": "qwen2.5-vl"}}')["description"]
    assert described["BACKEND"] == SHORT_NAMES["openai_vision"]
    assert described["OPTIONS"] == {"model": "qwen2.5-vl", "base_url": "http://gpu:8000/v1", "api_key": "k"}
    assert models("local", **server, MODELS='{"description": {"backend": "tags"}}')["description"]["BACKEND"] == SHORT_NAMES["tags"]
    assert models("packaged", **server, MODELS="{}")["description"]["BACKEND"] == SHORT_NAMES["tags"]


@pytest.mark.parametrize("profile", PROFILES)
def test_on_screen_text_can_be_turned_off(models, profile: str) -> None:  # type: ignore[no-untyped-def]
    assert "ocr" not in models(profile, OCR="off", MODELS='{"ocr": {"threads": 1}}')
    assert models(profile, OCR="on", MODELS='{"ocr": {"threads": 1}}')["ocr"]["OPTIONS"] == {"threads": 1}


@pytest.mark.parametrize("profile", PROFILES)
def test_faces_can_be_turned_off(models, profile: str) -> None:  # type: ignore[no-untyped-def]
    assert "faces" not in models(profile, FACES="off", MODELS='{"faces": {"detector": "cnn"}}')
    assert models(profile, FACES="on", MODELS='{"faces": {"detector": "cnn"}}')["faces"]["OPTIONS"] == {"detector": "cnn"}


def test_open_clip_reads_its_weights_from_their_own_variable(models) -> None:  # type: ignore[no-untyped-def]
    assert models("local", OPEN_CLIP_WEIGHTS="/models/b32.pt")["image"]["OPTIONS"]["weights"] == "/models/b32.pt"


@pytest.mark.parametrize("value", ["{", "[]", '{"text": 3}', '{"txt": {}}', '{"text": {"backend": 3}}'])
def test_an_invalid_override_stops_the_start_and_is_named(models, value: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SystemExit, match="HEIMDEX_MODELS"):
        models("packaged", MODELS=value)
