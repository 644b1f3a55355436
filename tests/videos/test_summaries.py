"""The tags of a video."""

from videos.models import Scene
from videos.summaries import list_common_tags


def make_scene(*tags: str) -> Scene:
    return Scene(tags=[{"name": tag, "confidence": 0.5} for tag in tags])


def test_the_ten_most_common_tags_are_listed_most_common_first() -> None:
    names = [f"tag {number}" for number in range(12)]
    scenes = [make_scene(*names[: 12 - number]) for number in range(12)]
    assert list_common_tags(scenes) == names[:10]
    assert list_common_tags([]) == []
