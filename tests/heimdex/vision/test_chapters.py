"""Chapters begin where the topic of a video changes, and are named by its own words."""

import random

import pytest

from heimdex.vision.chapters import Chapter, ChapterScene, divide_into_chapters
from heimdex.vision.titles import Part, title_parts
from heimdex.vision.topics import extract_topic_words, find_topic_starts

TOPICS = {
    "sailing": "sailing boat harbour anchor captain storm coast lighthouse rigging sailor tide",
    "garden": "garden tomato basil compost seedling greenhouse watering pruning beetroot gardener soil",
    "railway": "railway station locomotive platform signal timetable passenger carriage tunnel engineer track",
}
FILLERS = "there was something about that which they would have known before and because people really think about these things".split()  # noqa: SIM905


def talk(topic: str, scenes: int, seed: int) -> list[str]:
    """Return what is said in some scenes about a topic: its words among those that every talk has."""
    chance = random.Random(f"{topic}{seed}")
    words = TOPICS[topic].split()
    # A few words are used often and most seldom, as in any speech.
    often = [1 / place for place in range(1, len(words) + 1)]
    telling = iter(chance.choices(words, often, k=30 * scenes))
    return [" ".join(next(telling) if chance.random() < 0.3 else chance.choice(FILLERS) for _ in range(30)) + "." for _ in range(scenes)]


def scenes_of(texts: list[str], length_s: float = 15.0, lines: dict[int, tuple[str, ...]] | None = None) -> list[ChapterScene]:
    return [
        ChapterScene(index * length_s, (index + 1) * length_s, text, "Likely shows: person.", (lines or {}).get(index, ()))
        for index, text in enumerate(texts)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_talk_of_three_topics_has_three_chapters_that_begin_where_they_do(seed: int) -> None:
    found = divide_into_chapters(scenes_of([*talk("sailing", 12, seed), *talk("garden", 10, seed), *talk("railway", 14, seed)]))

    assert len(found) == 3
    for chapter, start_s, words in zip(found, (0.0, 180.0, 330.0), TOPICS.values(), strict=True):
        # Scenes are taken together for 20 seconds at least: two of these.
        assert abs(chapter.start_s - start_s) <= 30
        assert set(chapter.title.casefold().replace(",", "").split()) <= set(words.split())


def test_a_heading_on_screen_names_its_chapter_unless_others_show_it_too() -> None:
    said = [*talk("sailing", 12, 1), *talk("garden", 12, 1)]
    lines: dict[int, tuple[str, ...]] = dict.fromkeys(range(24), ("Evening School",))
    lines[0], lines[12] = ("Evening School", "How to leave a harbour", "by the captain"), ("Evening School", "Growing your own")
    assert divide_into_chapters(scenes_of(said, lines=lines)) == [
        Chapter("How to leave a harbour", 0.0),
        Chapter("Growing your own", 180.0),
    ]


def test_a_silent_video_is_divided_by_what_is_seen() -> None:
    texts = [f"Likely shows: {name}." for name in [*["sailboat, seashore"] * 10, *["espresso, dining table"] * 10]]
    found = divide_into_chapters([ChapterScene(index * 15.0, index * 15.0 + 15, "", text, ()) for index, text in enumerate(texts)])
    assert [chapter.start_s for chapter in found] == [0.0, 150.0]
    assert "sailboat" in found[0].title.casefold()


@pytest.mark.parametrize(
    "scenes",
    [
        pytest.param([], id="nothing"),
        pytest.param(scenes_of([*talk("sailing", 5, 1), *talk("garden", 5, 1)]), id="short"),
        *(pytest.param(scenes_of(talk("sailing", 40, seed)), id=f"one topic {seed}") for seed in range(5)),
        pytest.param(scenes_of(["", "uh", "ok"] * 20), id="no words"),
        pytest.param([ChapterScene(0, 3600, " ".join(talk("sailing", 9, 1) + talk("garden", 9, 1)), "", ())], id="one take"),
    ],
)
def test_there_are_none_where_they_would_not_help(scenes: list[ChapterScene]) -> None:
    assert divide_into_chapters(scenes) == []


def test_chapters_keep_their_bounds_and_are_the_same_for_the_same_video() -> None:
    chance = random.Random(4)
    said = [text for number in range(60) for text in talk(chance.choice(list(TOPICS)), 3, number)]
    scenes = scenes_of(said, length_s=12)
    found = divide_into_chapters(scenes)
    starts = [chapter.start_s for chapter in found]
    assert 2 <= len(found) <= 20
    assert starts[0] == 0
    assert set(starts) <= {scene.start_s for scene in scenes}
    assert all(later - earlier >= 60 for earlier, later in zip(starts, [*starts[1:], scenes[-1].end_s], strict=True))
    assert all(0 < len(chapter.title) <= 80 for chapter in found)
    assert found == divide_into_chapters(scenes)


def test_a_film_of_six_hours_is_divided_too() -> None:
    said = [text for number in range(72) for text in talk(list(TOPICS)[number % 3], 20, number)]
    assert 1 < len(divide_into_chapters(scenes_of(said, length_s=15))) <= 20


def test_topics_of_nothing_and_of_one_word() -> None:
    assert find_topic_starts([], [], 60) == []
    assert find_topic_starts([[], []], [10, 10], 60) == [0]
    assert find_topic_starts([["boat"]], [10], 60) == [0]
    assert extract_topic_words("They would have BOATS, boat-house & 1234; süß Straßen") == ["boat", "boat", "house", "strassen"]


def test_titles_say_what_a_part_has_and_the_others_have_not() -> None:
    first = Part("The old lighthouse keeper waits. The lighthouse keeper sails. Nobody waits for the ferry.", ())
    second = Part("Nobody waits for the ferry. A vegetable garden grows, and the vegetable garden is green.", ("42", "x" * 70))
    assert title_parts([first, second])[0].startswith("Lighthouse keeper")
    assert title_parts([first, second])[1].startswith("Vegetable garden")
    assert title_parts([Part("", ()), first])[0] == ""
