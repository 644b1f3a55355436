"""The configured models, as the application gets them."""

import threading
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from heimdex.backends import backends, get_embedder, get_image_embedder, get_text_embedder
from heimdex.embedders.base import ImageEmbedder, TextEmbedder
from heimdex.profiles import CONSE, OPENAI, SENTENCE_TRANSFORMER

MINILM = {"BACKEND": SENTENCE_TRANSFORMER, "OPTIONS": {"model": "all-MiniLM-L6-v2", "dimensions": 384}}


@pytest.fixture(autouse=True)
def models(settings: Settings) -> None:
    settings.MODEL_BACKENDS = {"text": MINILM, "image": {"BACKEND": CONSE, "OPTIONS": {}}}


def test_an_alias_has_one_instance_for_all_threads() -> None:
    instances: list[Any] = []
    threads = [threading.Thread(target=lambda: instances.append(backends["text"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(instance) for instance in instances}) == 1


def test_embedders_have_their_type() -> None:
    assert isinstance(get_text_embedder(), TextEmbedder)
    assert isinstance(get_image_embedder(), ImageEmbedder)
    assert get_embedder("image") is get_image_embedder()


def test_changed_settings_take_effect(settings: Settings) -> None:
    before = get_text_embedder()
    settings.MODEL_BACKENDS = {"text": {"BACKEND": OPENAI, "OPTIONS": {"model": "m", "dimensions": 8}}}
    assert get_text_embedder() is not before
    assert get_text_embedder().identity.backend == "openai"


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ({"BACKEND": "heimdex.embedders.absent.Embedder", "OPTIONS": {}}, r"cannot be imported .*correct \"text\" in HEIMDEX_MODELS"),
        ({"BACKEND": "absent", "OPTIONS": {}}, r"cannot be imported .*correct \"text\" in HEIMDEX_MODELS"),
        ({"BACKEND": CONSE, "OPTIONS": {"color": "red"}}, r"options that .* does not take .*color.*HEIMDEX_MODELS"),
        ({"BACKEND": CONSE, "OPTIONS": {}}, r"is a ConseEmbedder, but a TextEmbedder is required.*HEIMDEX_MODELS"),
    ],
)
def test_a_wrong_backend_is_reported_with_the_fix(settings: Settings, backend: dict[str, Any], message: str) -> None:
    settings.MODEL_BACKENDS = {"text": backend}
    with pytest.raises(ImproperlyConfigured, match=message):
        get_text_embedder()


def test_an_unknown_alias_is_reported_with_the_known_ones() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"MODEL_BACKENDS has no model 'sound'.*use one of: image, text"):
        get_embedder("sound")
