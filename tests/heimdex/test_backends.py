"""The models of the settings, as the application gets them."""

import threading
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from heimdex.backends import backends, embedder, image_embedder, text_embedder
from heimdex.embedders.base import ImageEmbedder, TextEmbedder
from heimdex.profiles import CONSE, OPENAI, SENTENCE_TRANSFORMER

MINILM = {"BACKEND": SENTENCE_TRANSFORMER, "OPTIONS": {"model": "all-MiniLM-L6-v2", "dimensions": 384}}


@pytest.fixture(autouse=True)
def models(settings: Settings) -> None:
    settings.MODEL_BACKENDS = {"text": MINILM, "image": {"BACKEND": CONSE, "OPTIONS": {}}}


def test_an_alias_has_one_instance_for_all_threads() -> None:
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(backends["text"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(instance) for instance in found}) == 1


def test_embedders_come_with_their_kind() -> None:
    assert isinstance(text_embedder(), TextEmbedder)
    assert isinstance(image_embedder(), ImageEmbedder)
    assert embedder("image") is image_embedder()


def test_changed_settings_take_effect(settings: Settings) -> None:
    before = text_embedder()
    settings.MODEL_BACKENDS = {"text": {"BACKEND": OPENAI, "OPTIONS": {"model": "m", "dimensions": 8}}}
    assert text_embedder() is not before
    assert text_embedder().identity.backend == "openai"


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"BACKEND": "heimdex.embedders.absent.Embedder", "OPTIONS": {}}, r"cannot be imported .*correct \"text\" in HEIMDEX_MODELS"),
        ({"BACKEND": "absent", "OPTIONS": {}}, r"cannot be imported .*correct \"text\" in HEIMDEX_MODELS"),
        ({"BACKEND": CONSE, "OPTIONS": {"colour": "red"}}, r"options that .* does not take .*colour.*HEIMDEX_MODELS"),
        ({"BACKEND": CONSE, "OPTIONS": {}}, r"is a ConseEmbedder, but a TextEmbedder is needed.*HEIMDEX_MODELS"),
    ],
)
def test_a_wrong_entry_is_named_with_the_fix(settings: Settings, entry: dict[str, Any], sentence: str) -> None:
    settings.MODEL_BACKENDS = {"text": entry}
    with pytest.raises(ImproperlyConfigured, match=sentence):
        text_embedder()


def test_an_unknown_alias_is_named_with_the_known_ones() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"MODEL_BACKENDS has no model 'sound' \(it has image, text\)"):
        embedder("sound")
