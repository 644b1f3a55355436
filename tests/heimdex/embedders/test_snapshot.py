"""A snapshot identifies an embedder and loads it again, without secrets and never as another model."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from heimdex.backends import get_text_embedder
from heimdex.embedders.snapshot import MAX_LOADED, load_embedder, snapshot_embedder
from heimdex.errors import ModelUnavailable
from heimdex.profiles import OPENAI, SENTENCE_TRANSFORMER
from tests.heimdex.embedders.openai_server import EmbeddingServer, serve_embeddings


def configure_server(**options: object) -> dict[str, Any]:
    given = {"model": "m", "dimensions": 8, "base_url": "http://127.0.0.1:1/v1", "api_key": "sk-secret"}
    return {"BACKEND": OPENAI, "OPTIONS": {**given, **options}}


def configure_minilm(**options: object) -> dict[str, Any]:
    return {"BACKEND": SENTENCE_TRANSFORMER, "OPTIONS": {"model": "all-MiniLM-L6-v2", "dimensions": 384, **options}}


@pytest.fixture(autouse=True)
def served(settings: Settings) -> None:
    settings.MODEL_BACKENDS = {"text": configure_server()}
    settings.MODEL_SECRETS = {"api_key": ""}


def test_the_configured_model_is_used_while_it_equals_the_recorded_one(settings: Settings) -> None:
    snapshot = snapshot_embedder("text")
    settings.MODEL_BACKENDS = {"text": configure_server(base_url="http://127.0.0.1:2/v1")}
    # Its server has moved.
    assert load_embedder(snapshot) is get_text_embedder()


def test_another_configured_model_does_not_change_the_recorded_one(settings: Settings) -> None:
    settings.MODEL_BACKENDS = {"text": configure_minilm(document_prefix="passage: ", query_prefix="query: ", similarity_floor=0.5)}
    then = get_text_embedder()
    snapshot = json.loads(json.dumps(snapshot_embedder("text")))
    settings.MODEL_BACKENDS = {"text": configure_minilm()}
    loaded = load_embedder(snapshot)
    assert loaded is not get_text_embedder()
    assert (loaded.identity, loaded.similarity_floor) == (then.identity, 0.5)
    # Loaded once, however often a space is searched.
    assert load_embedder(snapshot) is loaded


def test_secrets_are_not_recorded_and_come_from_the_current_settings(settings: Settings) -> None:
    with serve_embeddings(EmbeddingServer(dimensions=8)) as server:
        settings.MODEL_BACKENDS = {"text": configure_server(base_url=server.url)}
        snapshot = snapshot_embedder("text")
        assert "sk-secret" not in json.dumps(snapshot)
        assert snapshot["secrets"] == ["api_key"]
        settings.MODEL_BACKENDS = {"text": configure_minilm()}
        settings.MODEL_SECRETS = {"api_key": "sk-today"}
        load_embedder(snapshot).embed_queries(["a cat"])
    assert server.keys == ["Bearer sk-today"]


def test_a_server_that_needed_no_key_is_never_sent_one(settings: Settings) -> None:
    with serve_embeddings(EmbeddingServer(dimensions=8)) as server:
        settings.MODEL_BACKENDS = {"text": configure_server(base_url=server.url, api_key="")}
        snapshot = snapshot_embedder("text")
        settings.MODEL_BACKENDS = {"text": configure_server(model="n")}
        settings.MODEL_SECRETS = {"api_key": "sk-today"}
        load_embedder(snapshot).embed_queries(["a cat"])
    assert server.keys == ["Bearer none"]


def test_a_url_with_a_password_is_a_secret(settings: Settings) -> None:
    settings.MODEL_BACKENDS = {"text": configure_server(base_url="https://user:pass@host/v1", batch_size=5)}
    snapshot = snapshot_embedder("text")
    assert "pass@" not in json.dumps(snapshot)
    assert (snapshot["secrets"], snapshot["options"]["batch_size"]) == (["api_key", "base_url"], 5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"class": "no.such.Model"}, r"m cannot be loaded from its recorded settings \(m names no.such.Model, which cannot be imported"),
        ({"options": {"sizes": 3}}, "has options that .* does not take"),
        ({"class": "pathlib.Path", "options": {}}, "pathlib.Path is not an embedder"),
        ({"options": {"model": "other", "dimensions": 8}}, r"is a different model now \(other 8-d instead of m 8-d\)"),
    ],
)
def test_a_model_that_cannot_be_rebuilt_is_reported_in_one_sentence(settings: Settings, change: dict[str, Any], sentence: str) -> None:
    snapshot = {**snapshot_embedder("text"), **change}
    settings.MODEL_BACKENDS = {"text": configure_minilm()}
    with pytest.raises(ModelUnavailable, match=sentence):
        load_embedder(snapshot)


def test_a_snapshot_without_settings_asks_to_reprocess(settings: Settings) -> None:
    snapshot = {name: value for name, value in snapshot_embedder("text").items() if name not in ("class", "options", "secrets")}
    assert load_embedder(snapshot) is get_text_embedder()
    settings.MODEL_BACKENDS = {"text": configure_minilm()}
    with pytest.raises(ModelUnavailable, match=r"the settings of m were not recorded\. Reprocess"):
        load_embedder(snapshot)


def test_only_a_few_older_models_stay_loaded(settings: Settings) -> None:
    snapshots = []
    for number in range(MAX_LOADED + 1):
        settings.MODEL_BACKENDS = {"text": configure_minilm(document_prefix=f"{number}: ")}
        snapshots.append(snapshot_embedder("text"))
    settings.MODEL_BACKENDS = {"text": configure_minilm()}
    first = load_embedder(snapshots[0])
    for snapshot in snapshots[1:]:
        load_embedder(snapshot)
    assert load_embedder(snapshots[0]) is not first
