"""Chapters start where the topic of a video changes, and their titles consist of its own words."""

import math
import random
from collections import Counter
from unittest import mock

import pytest

from heimdex.vision.chapters import (
    MAX_WORDS,
    Chapter,
    ChapterScene,
    Part,
    _join_scenes,
    _select_phrases,
    _split_runs,
    _weigh_words,
    choose_titles,
    divide_into_chapters,
)
from heimdex.vision.topics import find_topic_starts

TOPICS = {
    "sailing": "sailing boat harbour anchor captain storm coast lighthouse rigging sailor tide",
    "garden": "garden tomato basil compost seedling greenhouse watering pruning beetroot gardener soil",
    "railway": "railway station locomotive platform signal timetable passenger carriage tunnel engineer track",
}
FILLERS = "there was something about that which they would have known before and because people really think about these things".split()  # noqa: SIM905


def make_talk(topic: str, scenes: int, seed: int) -> list[str]:
    """Return the speech of some scenes about a topic: its words among filler words."""
    chance = random.Random(f"{topic}{seed}")
    words = TOPICS[topic].split()
    # As in any speech, a few words are common and most are rare.
    often = [1 / place for place in range(1, len(words) + 1)]
    telling = iter(chance.choices(words, often, k=30 * scenes))
    return [" ".join(next(telling) if chance.random() < 0.3 else chance.choice(FILLERS) for _ in range(30)) + "." for _ in range(scenes)]


def build_scenes(texts: list[str], length_s: float = 15.0, lines: dict[int, tuple[str, ...]] | None = None) -> list[ChapterScene]:
    return [
        ChapterScene(index * length_s, (index + 1) * length_s, text, "Likely shows: person.", (lines or {}).get(index, ()))
        for index, text in enumerate(texts)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_talk_with_three_topics_has_a_chapter_per_topic(seed: int) -> None:
    chapters = divide_into_chapters(
        build_scenes([*make_talk("sailing", 12, seed), *make_talk("garden", 10, seed), *make_talk("railway", 14, seed)])
    )

    assert len(chapters) == 3
    for chapter, start_s, words in zip(chapters, (0.0, 180.0, 330.0), TOPICS.values(), strict=True):
        # Scenes are joined into blocks of at least 20 seconds, here two scenes.
        assert abs(chapter.start_s - start_s) <= 30
        assert set(chapter.title.casefold().replace(",", "").split()) <= set(words.split())


def test_a_heading_that_only_one_chapter_shows_is_its_title() -> None:
    texts = [*make_talk("sailing", 12, 1), *make_talk("garden", 12, 1)]
    lines: dict[int, tuple[str, ...]] = dict.fromkeys(range(24), ("Evening School",))
    lines[0], lines[12] = ("Evening School", "How to leave a harbour", "by the captain"), ("Evening School", "Growing your own")
    assert divide_into_chapters(build_scenes(texts, lines=lines)) == [
        Chapter("How to leave a harbour", 0.0),
        Chapter("Growing your own", 180.0),
    ]


def test_a_silent_video_is_divided_by_its_descriptions() -> None:
    texts = [f"Likely shows: {name}." for name in [*["sailboat, seashore"] * 10, *["espresso, dining table"] * 10]]
    chapters = divide_into_chapters([ChapterScene(index * 15.0, index * 15.0 + 15, "", text, ()) for index, text in enumerate(texts)])
    assert [chapter.start_s for chapter in chapters] == [0.0, 150.0]
    assert "sailboat" in chapters[0].title.casefold()


@pytest.mark.parametrize(
    "scenes",
    [
        pytest.param([], id="nothing"),
        pytest.param(build_scenes([*make_talk("sailing", 5, 1), *make_talk("garden", 5, 1)]), id="short"),
        *(pytest.param(build_scenes(make_talk("sailing", 40, seed)), id=f"one topic {seed}") for seed in range(5)),
        pytest.param(build_scenes(["", "uh", "ok"] * 20), id="no words"),
        pytest.param([ChapterScene(0, 3600, " ".join(make_talk("sailing", 9, 1) + make_talk("garden", 9, 1)), "", ())], id="one take"),
    ],
)
def test_short_or_uniform_videos_have_no_chapters(scenes: list[ChapterScene]) -> None:
    assert divide_into_chapters(scenes) == []


def test_chapters_respect_their_bounds_and_are_deterministic() -> None:
    chance = random.Random(4)
    texts = [text for number in range(60) for text in make_talk(chance.choice(list(TOPICS)), 3, number)]
    scenes = build_scenes(texts, length_s=12)
    chapters = divide_into_chapters(scenes)
    starts = [chapter.start_s for chapter in chapters]
    assert 2 <= len(chapters) <= 20
    assert starts[0] == 0
    assert set(starts) <= {scene.start_s for scene in scenes}
    assert all(later - earlier >= 60 for earlier, later in zip(starts, [*starts[1:], scenes[-1].end_s], strict=True))
    assert all(0 < len(chapter.title) <= 80 for chapter in chapters)
    assert chapters == divide_into_chapters(scenes)


def test_a_film_of_six_hours_is_divided() -> None:
    texts = [text for number in range(72) for text in make_talk(list(TOPICS)[number % 3], 20, number)]
    assert 1 < len(divide_into_chapters(build_scenes(texts, length_s=15))) <= 20


def count_words(number: int) -> str:
    """Return this number of different topic words."""
    return " ".join(f"word{chr(97 + index // 26)}{chr(97 + index % 26)}ing" for index in range(number))


def spy_on_topics(monkeypatch: pytest.MonkeyPatch, starts: list[int] | None = None) -> mock.Mock:
    """Replace the division into topics by a mock that records its calls."""
    replacement = mock.Mock(return_value=starts or [0])
    monkeypatch.setattr("heimdex.vision.chapters.find_topic_starts", replacement)
    return replacement


@pytest.mark.parametrize(("duration_s", "called"), [(179.9, False), (180.0, True)])
def test_a_video_of_three_minutes_is_divided(monkeypatch: pytest.MonkeyPatch, duration_s: float, called: bool) -> None:
    division = spy_on_topics(monkeypatch)
    divide_into_chapters([ChapterScene(10.0, 10.0 + duration_s, count_words(50), "", ())])
    assert division.called is called


@pytest.mark.parametrize(("duration_s", "shortest_s"), [(200.0, 60.0), (1200.0, 60.0), (1260.0, 63.0), (3600.0, 180.0)])
def test_a_chapter_lasts_a_minute_and_a_twentieth_of_the_video(
    monkeypatch: pytest.MonkeyPatch, duration_s: float, shortest_s: float
) -> None:
    division = spy_on_topics(monkeypatch)
    divide_into_chapters([ChapterScene(0.0, duration_s, count_words(500), "", ())])
    assert division.call_args.args[2] == pytest.approx(shortest_s)


@pytest.mark.parametrize(
    ("scene_s", "scenes", "block_s"),
    [(4.5, 80, 22.5), (5.0, 80, 20.0), (30.0, 20, 30.0), (3.0, 1400, 21.0), (3.0, 1600, 24.0)],
    ids=["more than 20 s", "20 s", "one scene", "a 200th is 21 s", "a 200th is 24 s"],
)
def test_scenes_are_joined_until_they_last_twenty_seconds_or_a_two_hundredth_of_the_video(
    monkeypatch: pytest.MonkeyPatch, scene_s: float, scenes: int, block_s: float
) -> None:
    division = spy_on_topics(monkeypatch)
    divide_into_chapters([ChapterScene(index * scene_s, (index + 1) * scene_s, count_words(5), "", ()) for index in range(scenes)])
    blocks, lengths_s, _ = division.call_args.args
    assert lengths_s[:-1] == pytest.approx([block_s] * (len(lengths_s) - 1))
    assert sum(lengths_s) == pytest.approx(scene_s * scenes)
    assert {len(block) for block in blocks[:-1]} == ({5 * round(block_s / scene_s)} if len(blocks) > 1 else set())


@pytest.mark.parametrize(("words", "is_visual"), [(19, True), (20, False), (21, False)])
def test_with_fewer_than_five_words_a_minute_descriptions_count_too(monkeypatch: pytest.MonkeyPatch, words: int, is_visual: bool) -> None:
    """The words of four minutes are in speech and on screen."""
    division = spy_on_topics(monkeypatch)
    texts = count_words(words).split()
    divide_into_chapters([ChapterScene(0.0, 240.0, " ".join(texts[3:]), "sailboats", tuple(texts[:3]))])
    ((block,), _, _) = division.call_args.args
    assert ("sailboat" in block) is is_visual
    assert len(block) == words + is_visual


def test_an_undistinguished_part_joins_the_previous_one_unless_it_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    spy_on_topics(monkeypatch, [0, 2, 4])
    texts = ["", "", "sailing boats", "sailing boats", "", "", "", "", "", ""]
    scenes = [ChapterScene(index * 20.0, index * 20.0 + 20, f"{text} {count_words(0)}", text, ()) for index, text in enumerate(texts)]
    assert divide_into_chapters(scenes) == [Chapter("Beginning", 0.0), Chapter("Sailing boats", 40.0)]
    spy_on_topics(monkeypatch, [0, 4])
    assert divide_into_chapters(scenes) == []


OTHER = Part("Nobody waits for the ferry.", ())


def test_titles_consist_of_words_that_distinguish_the_part() -> None:
    first = Part("The old lighthouse keeper waits. The lighthouse keeper sails. Nobody waits for the ferry.", ())
    second = Part("Nobody waits for the ferry. A vegetable garden grows, and the vegetable garden is green.", ("42", "x" * 70))
    assert choose_titles([first, second])[0].startswith("Lighthouse keeper")
    assert choose_titles([first, second])[1].startswith("Vegetable garden")
    assert choose_titles([Part("", ()), first])[0] == ""


def title_part(text: str = "", *lines: str) -> str:
    return choose_titles([Part(text, lines), OTHER])[0]


@pytest.mark.parametrize(
    ("line", "is_heading"),
    [
        ("Boat", True),
        ("Sea", False),
        ("Harbours " + "x" * 51, True),
        ("Harbours " + "x" * 52, False),
        ("Boat a b c d e f g h", True),
        ("Boat a b c d e f g h i", False),
        ("1234", False),
    ],
)
def test_a_heading_has_4_to_60_letters_and_nine_words_at_most(line: str, is_heading: bool) -> None:
    assert title_part("Lighthouse keeper", line) == (line if is_heading else "Lighthouse keeper")


def test_the_first_heading_that_only_this_part_shows_is_used() -> None:
    parts = [Part("", ("Evening School", "Leaving a harbour", "By the captain")), Part("", ("evening school",))]
    assert choose_titles(parts) == ["Leaving a harbour", ""]


def test_a_title_has_eighty_letters() -> None:
    long = "lighthouse" * 5
    assert title_part(f"{long} {long} {long}") == (f"{long} {long} {long}").capitalize()[:80]


def test_a_phrase_has_three_words() -> None:
    assert title_part("Old stone lighthouse keeper. Stone lighthouse keeper.") == "Stone lighthouse keeper"
    assert title_part("Harbour stone lighthouse keeper. " * 2) == "Harbour stone lighthouse, keeper"


@pytest.mark.parametrize(("together", "alone", "expected"), [(5, 7, "Stone lighthouse, Boat"), (6, 9, "Boat, Stone lighthouse")])
def test_a_phrase_scores_35_percent_higher_than_its_words(together: int, alone: int, expected: str) -> None:
    """A word scores the square of the logarithm of its count plus one: (log 8 / log 6)² is 1.347, and (log 10 / log 7)² is 1.400."""
    assert title_part("Stone lighthouse. " * together + "Boat. " * alone) == expected


def test_the_second_phrase_has_no_word_of_the_first_and_there_is_no_third() -> None:
    text = "Stone lighthouse. " * 5 + "Stone bridge. Fishing village. Ferry terminal."
    assert title_part(text) == "Stone lighthouse, Fishing village"


def test_words_that_other_parts_use_weigh_less() -> None:
    parts = [Part("Lighthouse. Lighthouse. Ferry. Ferry. Ferry.", ()), Part("Ferry. " * 9, ()), Part("Village.", ())]
    assert choose_titles(parts)[0].startswith("Lighthouse")
    # Every part uses it.
    assert choose_titles([Part("Ferry.", ()), Part("Ferry.", ())]) == ["Ferry", "Ferry"]


def test_a_phrase_has_its_most_common_spelling_and_ends_at_punctuation() -> None:
    assert title_part("Stone lighthouses. stone lighthouse. stone lighthouse.") == "Stone lighthouse"
    assert title_part("Stone, lighthouse. Stone, lighthouse.").casefold() == "lighthouse, stone"
    assert title_part("Stone-lighthouse") == "Stone lighthouse"


@pytest.mark.parametrize(
    ("lengths_s", "blocks"), [([15.0] * 5, [2, 2, 1]), ([15.0] * 4, [2, 2]), ([20.0, 19.0, 1.0, 5.0], [1, 2, 1]), ([5.0], [1])]
)
def test_scenes_are_joined_to_twenty_seconds_and_the_last_block_may_be_shorter(lengths_s: list[float], blocks: list[int]) -> None:
    starts = [sum(lengths_s[:index]) for index in range(len(lengths_s))]
    scenes = [ChapterScene(start_s, start_s + length_s, "", "", ()) for start_s, length_s in zip(starts, lengths_s, strict=True)]
    joined = list(_join_scenes(scenes, 20.0))
    assert [len(block) for block in joined] == blocks
    assert [index for block in joined for index in block] == list(range(len(scenes)))


def test_a_heading_in_the_last_scene_of_a_chapter_is_its_title() -> None:
    texts = [*make_talk("sailing", 12, 1), *make_talk("garden", 12, 1)]
    chapters = divide_into_chapters(build_scenes(texts, lines={11: ("How to leave a harbour",), 23: ("Growing your own",)}))
    assert [chapter.title for chapter in chapters] == ["How to leave a harbour", "Growing your own"]


def test_a_word_weighs_more_the_fewer_parts_use_it() -> None:
    first, second = Counter({"boat": 3, "sea": 1}), Counter({"sea": 3})
    weights = _weigh_words(first, first + second, [first, second])
    assert weights == {"boat": pytest.approx(math.log(4) * math.log(3)), "sea": pytest.approx(math.log(2) / 4 * math.log(3 / 2))}


def test_phrases_are_ordered_by_weight_and_count() -> None:
    weights = {"harbour": 1.5, "anchor": 1.0}
    assert _select_phrases("harbour. anchor. anchor.", weights) == ["anchor", "harbour"]
    assert _select_phrases("harbour. harbour. anchor.", weights) == ["harbour", "anchor"]


def test_words_without_a_weight_are_no_title() -> None:
    assert _select_phrases("harbour's", {"harbour": 1.0}) == []


def test_runs_of_words_end_at_punctuation_and_at_words_without_a_topic() -> None:
    assert _split_runs("About harbour. Anchor") == [["harbour"], ["Anchor"]]
    assert _split_runs("harbour-master about cold anchor, chain") == [["harbour", "master"], ["cold", "anchor"], ["chain"]]


def test_the_work_does_not_grow_with_a_text_that_nobody_could_speak() -> None:
    """An owner may put any text into a transcript, and every edit divides the video again."""
    texts = [" ".join(f"word{letter} speech" for letter in "abcdefghij") * 400 for _ in range(60)]
    with mock.patch("heimdex.vision.chapters.find_topic_starts", side_effect=find_topic_starts) as find:
        divide_into_chapters(build_scenes(texts))
    blocks = find.call_args.args[0]
    assert sum(map(len, blocks)) <= MAX_WORDS
