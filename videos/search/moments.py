"""Find the moments inside a scene at which it answers a query: when words are said, and when something is to be seen. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from videos.channels import LEXICAL, ON_SCREEN, SHOWN
from videos.embedding_texts import SceneSpeech, clip_text
from videos.search.lexical.base import Excerpt, Mark
from videos.search.modes import Kind, get_kinds
from videos.search.people_backend import Appearance

MAX_MOMENTS = 5
# Words said within this time of a moment belong to it, because a viewer who starts there hears them all.
MAX_PHRASE_S = 3.0
MAX_TEXT_LENGTH = 100


class Moment(NamedTuple):
    """A time inside a scene, in seconds from the start of the video; the kind of evidence there; and its words or the person's name.

    The text is empty where the scene matches by its meaning or its image.
    """

    time_s: float
    kind: Kind
    text: str = ""


class _SpokenWord(NamedTuple):
    start: int
    time_s: float


def find_moments(
    speech: SceneSpeech,
    keyframe_s: float | None,
    channels: Sequence[str],
    excerpts: Mapping[str, Excerpt],
    people: Sequence[Appearance] = (),
) -> list[Moment]:
    """Return at most MAX_MOMENTS moments of a scene, the best first, then the best of each other kind of evidence.

    `channels` are those that found the scene, that with most evidence first. `people` are those the query asks for. A scene whose
    video has the words only in its title has no moment of speech.
    """
    by_kind: dict[Kind, list[Moment]] = {}
    for channel in channels:
        for kind in sorted(get_kinds(channel) - by_kind.keys()):
            moments = _list_moments(kind, channel, speech, keyframe_s, excerpts, people)
            if moments:
                by_kind[kind] = [_move_inside(moment, speech) for moment in moments]
    best = [moments[0] for moments in by_kind.values()]
    further = [moment for moments in by_kind.values() for moment in moments[1:]]
    return [*best, *further][:MAX_MOMENTS]


def locate_words(speech: SceneSpeech) -> list[_SpokenWord]:
    """Return where each spoken word begins in the transcript, and when. Empty if the words are not those of the transcript."""
    located = []
    reached = 0
    for start_s, _, text in speech.words:
        word = " ".join(text.split())
        start = speech.transcript.find(word, reached)
        # A space may be between two words.
        if not reached <= start <= reached + 1:
            return []
        if word:
            located.append(_SpokenWord(start, start_s))
        reached = start + len(word)
    return [] if speech.transcript[reached:].strip() else located


def _list_moments(
    kind: Kind,
    channel: str,
    speech: SceneSpeech,
    keyframe_s: float | None,
    excerpts: Mapping[str, Excerpt],
    people: Sequence[Appearance],
) -> list[Moment]:
    if kind is Kind.SPOKEN:
        marks = excerpts[LEXICAL].marks if LEXICAL in excerpts else ()
        return _list_spoken(speech, marks, by_meaning=channel != LEXICAL)
    if kind is Kind.PEOPLE:
        return [Moment(person.first_s, kind, person.name) for person in people]
    words = excerpts.get(SHOWN if kind is Kind.SHOWN else ON_SCREEN)
    return [] if keyframe_s is None else [Moment(keyframe_s, kind, _quote(words.marks if words else ()))]


def _list_spoken(speech: SceneSpeech, marks: Sequence[Mark], *, by_meaning: bool) -> list[Moment]:
    """Return a moment for each place where words are said together, those with most different words first."""
    located = locate_words(speech)
    # The transcript may have been edited since its words were marked.
    marks = [mark for mark in marks if speech.transcript.startswith(mark.text, mark.start)]
    if not marks:
        return [Moment(located[0].time_s if located else speech.start_s, Kind.SPOKEN)] if by_meaning else []
    if not located:
        return [Moment(speech.start_s, Kind.SPOKEN, _quote(marks))]
    phrases: list[tuple[float, list[Mark]]] = []
    for mark in marks:
        time_s = located[max(bisect_right(located, mark.start, key=lambda word: word.start) - 1, 0)].time_s
        if phrases and abs(time_s - phrases[-1][0]) <= MAX_PHRASE_S:
            phrases[-1][1].append(mark)
        else:
            phrases.append((time_s, [mark]))
    phrases.sort(key=lambda phrase: (-len({mark.text.casefold() for mark in phrase[1]}), phrase[0]))
    return [Moment(time_s, Kind.SPOKEN, _cut(speech.transcript, spoken)) for time_s, spoken in phrases]


def _cut(transcript: str, marks: Sequence[Mark]) -> str:
    """Return a transcript from the first to the last of some words."""
    return clip_text(transcript[marks[0].start : marks[-1].start + len(marks[-1].text)], MAX_TEXT_LENGTH)


def _quote(marks: Sequence[Mark]) -> str:
    """Return the different words of some marks, as first written."""
    words: dict[str, str] = {}
    for mark in marks:
        words.setdefault(mark.text.casefold(), mark.text)
    return clip_text(", ".join(words.values()), MAX_TEXT_LENGTH)


def _move_inside(moment: Moment, speech: SceneSpeech) -> Moment:
    """Return a moment inside its scene. The first word of a scene may begin just before the cut."""
    return moment._replace(time_s=min(max(moment.time_s, speech.start_s), speech.end_s))
