"""A vision model's answer becomes a description within exact bounds."""

import json
from typing import Any

import pytest

from heimdex.vision.base import Tag
from heimdex.vision.openai_schema import Entity, SceneAnswer, build_description, build_schema, parse_answer

ANSWER: dict[str, Any] = {
    "description": "A boat sails.",
    "entities": [{"name": "boat", "confidence": 0.9}],
    "actions": ["sailing"],
    "on_screen_text": ["HARBOUR"],
    "confidence": 0.8,
}


def make_answer(**changes: Any) -> SceneAnswer:
    answer = parse_answer(json.dumps({**ANSWER, **changes}))
    assert answer is not None
    return answer


def make_entities(*pairs: tuple[str, float]) -> list[dict[str, Any]]:
    return [{"name": name, "confidence": confidence} for name, confidence in pairs]


def test_an_answer_becomes_a_sentence_tags_and_lines() -> None:
    description = build_description(make_answer())
    assert description.text == "A boat sails."
    assert description.tags == (Tag("boat", 0.9), Tag("sailing", 0.8))
    assert description.lines == ("HARBOUR",)


@pytest.mark.parametrize(("confidence", "text"), [(0.3, "A boat sails."), (0.299, "")])
def test_a_guess_is_left_out(confidence: float, text: str) -> None:
    description = build_description(make_answer(confidence=confidence, entities=make_entities(("boat", confidence))))
    assert description.text == text
    assert bool(description.tags) is bool(text)


def test_ten_tags_are_kept_the_most_certain_first() -> None:
    names = [(f"thing {number}", 0.4 + number / 100) for number in range(12)]
    tags = build_description(make_answer(entities=make_entities(*names), actions=[])).tags
    assert [tag.name for tag in tags] == [f"thing {number}" for number in range(11, 1, -1)]


def test_a_name_counts_once_with_its_highest_confidence() -> None:
    tags = build_description(make_answer(entities=make_entities(("boat", 0.5), ("boat", 0.9), ("boat", 0.6), ("", 1.0)), actions=[])).tags
    assert tags == (Tag("boat", 0.9),)


def test_text_is_cleaned_and_cut() -> None:
    answer = make_answer(
        description="x" * 601,
        entities=make_entities(("y" * 61, 0.9)),
        actions=["z" * 61],
        on_screen_text=["", "a\u0000 \n b", *["line"] * 60],
    )
    description = build_description(answer)
    assert description.text == "x" * 600
    assert [tag.name for tag in description.tags] == ["y" * 60, "z" * 60]
    assert description.lines == ("a b", *["line"] * 48)
    assert build_description(make_answer(description="x" * 599 + " y")).text == "x" * 599


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "no JSON",
        json.dumps({**ANSWER, "confidence": 1.01}),
        json.dumps({**ANSWER, "confidence": -0.01}),
        json.dumps({**ANSWER, "confidence": "0.5"}),
        json.dumps({**ANSWER, "mood": "calm"}),
        json.dumps({**ANSWER, "entities": [{"name": "boat", "confidence": 0.5, "color": "red"}]}),
        json.dumps({**ANSWER, "entities": [{"name": "boat", "confidence": "0.5"}]}),
        json.dumps({key: value for key, value in ANSWER.items() if key != "actions"}),
    ],
)
def test_an_answer_that_does_not_match_the_schema_is_none(content: str | None) -> None:
    assert parse_answer(content) is None


@pytest.mark.parametrize("confidence", [0, 1])
def test_a_confidence_may_be_zero_or_one(confidence: int) -> None:
    assert make_answer(confidence=confidence).confidence == confidence


def test_the_schema_names_every_field_and_admits_no_other() -> None:
    schema = build_schema()
    assert schema["required"] == list(SceneAnswer.model_fields)
    assert schema["additionalProperties"] is False
    entity = schema["properties"]["entities"]["items"]
    assert (entity["required"], entity["additionalProperties"]) == (list(Entity.model_fields), False)
