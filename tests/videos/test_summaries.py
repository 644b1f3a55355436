"""The tags of a video."""

from unittest import mock

from videos.models import Scene
from videos.summaries import extract_chapters, list_common_tags


def make_scene(*tags: str) -> Scene:
    return Scene(tags=[{"name": tag, "confidence": 0.5} for tag in tags])


def test_the_ten_most_common_tags_are_listed_most_common_first() -> None:
    names = [f"tag {number}" for number in range(12)]
    scenes = [make_scene(*names[: 12 - number]) for number in range(12)]
    assert list_common_tags(scenes) == names[:10]
    assert list_common_tags([]) == []


def test_chapters_do_not_read_more_than_people_can_say() -> None:
    scenes = [Scene(start_s=index * 10.0, end_s=(index + 1) * 10.0, transcript="sailing harbour " * 5000) for index in range(20)]
    with mock.patch("videos.summaries.divide_into_chapters", return_value=[]) as divide:
        extract_chapters(scenes)
    assert max(len(scene.speech) for scene in divide.call_args.args[0]) <= 800


def test_chapters_are_stored_with_times_in_milliseconds() -> None:
    topics = [["sailing boat harbour anchor"] * 10, ["garden tomato basil compost"] * 10]
    texts = [text for topic in topics for text in topic]
    scenes = [
        Scene(start_s=index * 12.00049, end_s=(index + 1) * 12.00049, transcript=text, on_screen_text=f"Page {index}\nEvening School")
        for index, text in enumerate(texts)
    ]
    chapters = extract_chapters(scenes)
    assert len(chapters) == 2
    assert chapters[0].keys() == {"title", "start_s"}
    assert [chapter["start_s"] for chapter in chapters] == [0.0, 120.005]
    assert extract_chapters([]) == []
