"""The judged queries of the demo refer to its film."""

import re
from pathlib import Path

from demo.__main__ import TITLE
from demo.film import list_film_scenes
from demo.second_language import JUDGED
from videos.evaluation.judgments import read_judgments


def test_every_judged_scene_is_in_the_film_and_every_scene_is_judged() -> None:
    scenes = list_film_scenes()
    judged = set()
    for query in read_judgments(Path(JUDGED)):
        for reference in query.grades:
            title, second = re.fullmatch(r"(.+)@(\d+)", reference).groups()
            assert title == TITLE
            (index,) = [place for place, scene in enumerate(scenes) if scene.start_s + 0.5 < int(second) < scene.end_s - 0.5]
            judged.add((query.query_class, index))
            assert query.query_class == "image" or scenes[index].words, query.text
    assert {index for query_class, index in judged if query_class == "image"} == set(range(len(scenes)))
    assert {index for query_class, index in judged if query_class == "speech"} == {
        index for index, scene in enumerate(scenes) if scene.words
    }
