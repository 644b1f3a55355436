"""Kinds of evidence: what is said, what is seen, what is written on screen, and who appears. Each channel gives one kind, or several."""

from enum import StrEnum

from videos.channels import EXAMPLE, KEYFRAME, KEYFRAMES, LEXICAL, ON_SCREEN, PERSON, TRANSCRIPT, VISUAL_TEXT, get_channel
from videos.channels import SHOWN as SHOWN_WORDS
from videos.search.parsed_query import ON_SCREEN as ON_SCREEN_FIELD
from videos.search.parsed_query import SHOWN, SPOKEN


class Kind(StrEnum):
    """A kind of evidence for a hit. Kinds of words have the name of the field of a query that asks for them."""

    SPOKEN = SPOKEN
    SHOWN = SHOWN
    ON_SCREEN = ON_SCREEN_FIELD
    PEOPLE = "people"


KIND_CHOICES = [kind.value for kind in Kind]


class Mode(StrEnum):
    """Which channels are searched: all, or those of one kind of evidence."""

    ALL = "all"
    SPOKEN = Kind.SPOKEN.value
    SHOWN = Kind.SHOWN.value
    ON_SCREEN = Kind.ON_SCREEN.value
    PEOPLE = Kind.PEOPLE.value

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of evidence that this mode searches."""
        return frozenset(Kind) if self is Mode.ALL else frozenset({Kind(self.value)})


def get_kinds(channel: str) -> frozenset[Kind]:
    """Return the kinds of evidence that a channel gives; none for a channel about whole videos."""
    if channel == LEXICAL:
        return frozenset({Kind.SPOKEN})
    if channel == SHOWN_WORDS:
        return frozenset({Kind.SHOWN})
    if channel == ON_SCREEN:
        return frozenset({Kind.ON_SCREEN})
    if channel == EXAMPLE:
        return frozenset({Kind.SHOWN})
    if channel == PERSON:
        return frozenset({Kind.PEOPLE})
    sources = set(get_channel(channel).sources)
    kinds = set()
    if TRANSCRIPT in sources:
        kinds.add(Kind.SPOKEN)
    if sources & {VISUAL_TEXT, KEYFRAME, KEYFRAMES}:
        kinds.add(Kind.SHOWN)
    return frozenset(kinds)


def is_searched(channel: str, mode: Mode) -> bool:
    """Return whether a mode searches a channel."""
    return mode is Mode.ALL or bool(get_kinds(channel) & mode.kinds)
