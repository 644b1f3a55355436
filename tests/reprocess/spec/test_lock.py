"""The lock names every change of a step under an unchanged spec version."""

import pytest

from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION, get_effective_spec
from reprocess.spec.latest import hash_json, to_canonical_json
from reprocess.spec.lock import compute_digests, find_drift, read_lock
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
