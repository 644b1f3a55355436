"""Channels: what a vector describes, and the sources that its input is composed of.

Packages above this one fill channels. They register what they fill when Django starts, because `videos` does not import them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from videos.models.embedding import CHANNEL_LENGTH

# Lexical search, which has no vectors: words that are said, words of the description and the tags, and words on screen.
LEXICAL = "lexical"
SHOWN = "shown_words"
ON_SCREEN = "on_screen"
# The scenes of the people that a query names; also the channel of the faces in a scene.
PERSON = "person"
# The images of scenes, compared with an image instead of a text.
EXAMPLE = "example"


@dataclass(frozen=True)
class Source:
    """One source of a target's inputs: a field (as a lookup from the target) with a text, a hash of files or a switch, or `other` rows.

    `edited_at` is the field with the time of the owner's last edit, also as a lookup from the target. Search skips older vectors of
    another input at once, because owners expect that only the new content is found. Without it, older vectors are found until they are
    replaced.
    """

    field: str
    content: Literal["text", "files", "switch", "other"]
    edited_at: str = ""


# Every writer of one of these fields calls `videos.input_hashes.refresh_input_hashes`. A field without a constant here has no such writer.
# The words with their times change together with the transcript.
TRANSCRIPT = Source("transcript", "text", edited_at="transcript_edited_at")
VISUAL_TEXT = Source("visual_text", "text")
ON_SCREEN_TEXT = Source("on_screen_text", "text")
SUMMARY = Source("video__summary", "text")
CHAPTERS = Source("video__chapters", "other")
TITLE = Source("video__title", "text")
VIDEO_DESCRIPTION = Source("video__description", "text")
KEYFRAME = Source("keyframe_hash", "files")
KEYFRAMES = Source("pictures_hash", "files")
FIND_FACES = Source("owner__find_faces", "switch")


# What a channel is evidence of: what is said, seen or written in a scene, who appears in it, or what its video is about.
Evidence = Literal["said", "seen", "onscreen", "people", "video"]


@dataclass(frozen=True)
class Channel:
    """One channel as its step declares it.

    `sources` are read to compose an input: when one of them changes, the input hash is computed again, and an owner's edit queues a run
    over the video. `searched_by_text` channels are compared with text queries. Channels of one `evidence` tell the same in several ways,
    and search fuses them (see `videos.search.ranking_model`). `has_context` states that what comes just before and after a scene belongs to
    its meaning, as in speech. `label` names it in the reasons of a match.
    """

    name: str
    sources: tuple[Source, ...] = ()
    searched_by_text: bool = True
    evidence: Evidence = "seen"
    has_context: bool = False
    label: str = ""
    # The type of target: "scene", "photo" or "person".
    target: str = "scene"

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or len(self.name) > CHANNEL_LENGTH:
            raise ValueError(f"{self.name!r} is not a channel name: use at most {CHANNEL_LENGTH} letters, digits and underscores.")

    @property
    def display_label(self) -> str:
        """Return the label, or the name in words."""
        return self.label or self.name.replace("_", " ")


# These rankings are not computed from a query's vector.
_SEARCH_CHANNELS = (
    Channel(LEXICAL, searched_by_text=False, evidence="said", has_context=True, label="words"),
    Channel(SHOWN, searched_by_text=False, label="words of the description"),
    Channel(ON_SCREEN, searched_by_text=False, evidence="onscreen", label="on-screen text"),
    Channel(PERSON, searched_by_text=False, evidence="people", label="people"),
    Channel(EXAMPLE, searched_by_text=False, label="likeness"),
)
_channels: dict[str, Channel] = {channel.name: channel for channel in _SEARCH_CHANNELS}


def register_channels(channels: Iterable[Channel]) -> None:
    """Make channels known to search, edits and plans. A channel registered again replaces the first one."""
    _channels.update({channel.name: channel for channel in channels})


def find_channel(name: str) -> Channel | None:
    """Return a registered channel; None for the channel of a step that no longer exists."""
    return _channels.get(name)


def get_channel(name: str) -> Channel:
    """Return a registered channel, or defaults for the channel of a step that no longer exists."""
    return find_channel(name) or Channel(name, searched_by_text=False)


def list_text_channels() -> list[str]:
    """Return the names of the channels that text queries are compared with."""
    return [channel.name for channel in _channels.values() if channel.searched_by_text]


def list_channels_reading(*sources: Source) -> list[str]:
    """Return the names of the channels whose input is composed of any of the sources."""
    return [channel.name for channel in _channels.values() if set(sources) & set(channel.sources)]
