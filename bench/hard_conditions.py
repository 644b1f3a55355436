"""Q7: answers that break a phrase, an exclusion or a filter of the query, over the meetings of set A."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bench.benchmark import Figure, Goal, Group, Part, Round
from bench.installation import empty_database
from bench.judged_library import Libraries
from bench.judged_sets import JudgedSet, load_meetings

if TYPE_CHECKING:
    from videos.models import Scene
    from videos.search.service import SearchAnswer

QUERIES = 50
DEPTH = 10
SEED = 1
# Shorter words are often stop words.
MIN_LETTERS = 6
# An exclusion is of interest for words that several scenes contain, and not most.
MIN_SCENES, MAX_SCENES = 3, 60
_PHRASE = re.compile(rf"\b([a-z]{{{MIN_LETTERS},}}) ([a-z]{{{MIN_LETTERS},}})\b")


@dataclass(frozen=True)
class Exclusion:
    """A query for scenes with `word` and without `excluded`. Scenes with only the first exist, and scenes with both."""

    word: str
    excluded: str


def run_rounds() -> Iterator[Round]:
    """Yield one round, because the queries are drawn with a fixed seed."""
    from videos.search.service import SearchRequest, search

    empty_database()
    libraries = Libraries()
    meetings = load_meetings(libraries.folder)
    libraries.add("A", meetings)
    libraries.embed()
    owner, texts = libraries.get_owner("A"), list_texts(meetings)
    videos = {film.title: owner.videos.get(title=film.title).pk for film in meetings.films}
    phrases, exclusions = draw_phrases(texts), draw_exclusions(texts)

    def answer(text: str, title: str = "") -> "SearchAnswer":
        return search(owner, SearchRequest(text, limit=DEPTH, video_id=videos[title] if title else None))

    broken = {
        "phrases": [not _is_held(answer(f'"{phrase}"'), partial(has_phrase, phrase=phrase)) for phrase in phrases],
        "exclusions": [
            not _is_held(answer(f"{drawn.word} -{drawn.excluded}"), partial(lacks_word, word=drawn.excluded)) for drawn in exclusions
        ],
        "one video": [
            any(hit.scene.video_id != videos[title] for hit in answer(drawn.word, title).hits)
            for drawn, title in zip(exclusions, [*videos] * len(exclusions), strict=False)
        ],
    }
    parts = tuple(
        Part(
            f"{name}: share of {len(results)} queries with a breaking scene among the first {DEPTH}",
            sum(results) / len(results),
            0.0,
            False,
        )
        for name, results in broken.items()
    )
    yield {"Q7": Figure(max(part.value for part in parts), parts)}


def list_texts(judged: JudgedSet) -> list[str]:
    """Return the speech of all scenes."""
    return [scene.text for film in judged.films for scene in film.scenes]


def draw_phrases(texts: Sequence[str]) -> list[str]:
    """Draw pairs of neighboring words of the scenes, without repetitions. Pure."""
    phrases = sorted({" ".join(match.groups()) for text in texts for match in _PHRASE.finditer(text)})
    return random.Random(SEED).sample(phrases, min(QUERIES, len(phrases)))


def draw_exclusions(texts: Sequence[str]) -> list[Exclusion]:
    """Draw pairs of words that some scenes have together, and others only the first of. Pure."""
    scenes = [{word for word in split_words(text) if word.isascii() and word.isalpha() and len(word) >= MIN_LETTERS} for text in texts]
    counts = Counter(word for words in scenes for word in words)
    chance = random.Random(SEED)
    drawn: dict[Exclusion, None] = {}
    for words in chance.sample(scenes, len(scenes)):
        known = sorted(word for word in words if MIN_SCENES <= counts[word] <= MAX_SCENES)
        if len(drawn) < QUERIES and len(known) >= 2:
            pair = Exclusion(*chance.sample(known, 2))
            if any(pair.word in other and pair.excluded not in other for other in scenes):
                drawn[pair] = None
    return list(drawn)


def has_phrase(text: str, phrase: str) -> bool:
    """Return whether the words of a phrase follow each other in a text. Forms of a word (plural, tense) count as the word. Pure."""
    words, wanted = split_words(text), phrase.split()
    return any(
        all(_are_forms(word, other) for word, other in zip(words[start:], wanted, strict=False))
        for start in range(len(words) - len(wanted) + 1)
    )


def lacks_word(text: str, word: str) -> bool:
    """Return whether a text does not contain a word as it is written. Pure."""
    return word not in split_words(text)


def split_words(text: str) -> list[str]:
    """Return the words of a text without case. Pure."""
    return re.findall(r"\w+", text.casefold())


def _are_forms(word: str, other: str) -> bool:
    stem = max(5, len(other) - 3)
    return word[:stem] == other[:stem] and abs(len(word) - len(other)) <= 4


def _is_held(answer: "SearchAnswer", accepts: Callable[[str], bool]) -> bool:
    """Return whether there are hits, and every hit is accepted. The scene from which the query was drawn fits, so no hit is an error."""
    return bool(answer.hits) and all(accepts(_join_texts(hit.scene)) for hit in answer.hits)


def _join_texts(scene: "Scene") -> str:
    """Return all words of a scene and of its video's title. The separator is no word, so that no phrase crosses it."""
    return " \n§\n ".join((scene.transcript, scene.visual_text, scene.on_screen_text, scene.video.title, scene.video.description))


GROUP = Group(
    (
        Goal(
            "Q7",
            "queries with an answer that breaks a phrase, an exclusion or a filter: the highest share",
            "the words of the scenes",
            0.0,
            "of queries",
            at_least=False,
        ),
    ),
    run_rounds,
)
