"""The lock names every change of a step under an unchanged spec version."""

from unittest import mock

import pytest
from django.conf import settings

from heimdex.backends import build, get_embedder
from heimdex.embedders.base import EmbedderIdentity
from heimdex.embedders.snapshot import read_identity
from heimdex.profiles import EMBEDDERS
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION, ConfiguredStep, get_effective_spec
from reprocess.spec.latest import hash_json, to_canonical_json
from reprocess.spec.lock import LockedModel, compute_digests, find_drift, find_model_drift, lock_models, read_lock
from reprocess.steps import list_steps


def test_the_lock_has_the_digests_of_all_steps() -> None:
    assert find_drift(read_lock(), compute_digests(), LATEST_EMBEDDING_SPEC_VERSION) == []


def test_changed_new_and_removed_steps_are_named() -> None:
    locked = {"v1": {"a": "1", "b": "2", "c": "3"}}
    assert find_drift(locked, {"a": "1", "b": "X", "d": "4"}, "v1") == [
        "The step b changed, but the spec version is still v1.",
        "The step d is new, but the spec version is still v1.",
        "The step c is gone, but the spec version is still v1.",
    ]
    assert find_drift(locked, {"a": "1"}, "v2") == ["The spec version v2 is not in spec.lock.json."]


def test_the_lock_has_the_digests_of_all_models() -> None:
    assert find_model_drift(read_lock(), lock_models()) == []
    assert read_lock()["models"].keys() == EMBEDDERS.keys() >= {"sentence_transformer", "openai", "conse", "open_clip", "yunet_sface"}


def test_changed_new_and_removed_models_are_named() -> None:
    locked = {"models": {name: {"code_version": 1, "digest": name} for name in ("same", "changed", "raised", "gone")}}
    current: dict[str, LockedModel] = {
        "same": {"code_version": 1, "digest": "same"},
        "changed": {"code_version": 1, "digest": "other"},
        "raised": {"code_version": 2, "digest": "other"},
        "added": {"code_version": 1, "digest": "added"},
    }
    assert find_model_drift(locked, current) == [
        "The code of the model changed changed, but its code version is still 1.",
        "The model raised with code version 2 is not in spec.lock.json.",
        "The model added with code version 1 is not in spec.lock.json.",
        "The model gone in spec.lock.json is gone.",
    ]


def test_a_raised_code_version_of_a_model_makes_its_vectors_stale_and_the_first_changes_no_fingerprint() -> None:
    first = EmbedderIdentity("backend", "model", "revision", 3)
    second = EmbedderIdentity("backend", "model", "revision", 3, 2)
    assert first.describe() == {"backend": "backend", "model": "model", "revision": "revision", "dimensions": 3}
    assert (read_identity(first.describe()), read_identity(second.describe())) == (first, second)
    step = get_effective_spec().steps[0].step
    prints = {ConfiguredStep(step, identity.describe()).compute_fingerprint(step.channels[0]) for identity in (first, second)}
    assert len(prints) == 2


@pytest.mark.parametrize("alias", ["text", "image"])
def test_the_identity_of_a_packaged_model_has_the_code_version_of_its_class(packaged_models: None, alias: str) -> None:
    embedder = get_embedder(alias)
    with mock.patch.object(type(embedder), "code_version", 7):
        assert (
            build(settings.MODEL_BACKENDS[alias]["BACKEND"], settings.MODEL_BACKENDS[alias]["OPTIONS"], of=alias).identity.code_version == 7
        )


def test_the_order_of_keys_does_not_change_a_hash() -> None:
    assert hash_json({"a": 1, "b": [2, 3]}) == hash_json({"b": [2, 3], "a": 1})
    assert hash_json({"a": 1}) != hash_json({"a": 2})
    assert to_canonical_json({"ä": 1}) == '{"ä":1}'


@pytest.mark.usefixtures("faces_on")
def test_steps_run_in_order_and_every_channel_has_its_own_fingerprint() -> None:
    spec = get_effective_spec()
    first = ("scene_text", "scene_clip", "scene_person", "person_photo", "person_query")
    assert tuple(step.name for step in list_steps() if step.name in first) == first
    fingerprints = [configured.compute_fingerprint(channel) for configured, channel in spec.list_channels()]
    assert len(set(fingerprints)) == len(fingerprints) >= 7
