"""The registry of ingest stages and other extensions."""

from dataclasses import replace

import pytest
from django.core.exceptions import ImproperlyConfigured

from people.search_backend import FaceMatchSearch
from videos.registry import find_stage, get_people_search, list_stages, override_stages, register_stage


def test_the_stages_are_sorted_by_their_order_and_have_a_label_and_a_weight() -> None:
    stages = list_stages()
    assert [stage.name for stage in stages] == [
        "validate",
        "probe",
        "scenes",
        "transcript",
        "on_screen",
        "description",
        "summary",
        "embed",
        "index",
    ]
    assert all(stage.label and stage.weight > 0 for stage in stages)


@pytest.mark.parametrize("changes", [{"name": "another"}, {"order": 99}], ids=["same order", "same name"])
def test_two_stages_with_one_name_or_one_order_are_rejected(changes: dict[str, object]) -> None:
    stages = list_stages()
    with pytest.raises(ImproperlyConfigured, match="share a name or an order"):
        register_stage(replace(stages[0], **changes))  # type: ignore[arg-type]
    register_stage(stages[0])
    assert list_stages() == stages


def test_stages_can_be_replaced_for_a_block() -> None:
    stages = list_stages()
    with override_stages(stages[1:2]):
        assert list_stages() == stages[1:2]
        assert find_stage("validate") is None
    assert list_stages() == stages


def test_people_provides_the_people_search() -> None:
    assert isinstance(get_people_search(), FaceMatchSearch)
