"""Which of a video's sound tracks to listen to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer


@dataclass(frozen=True)
class AudioTrack:
    """What the file says of a track; `is_aside` means made beside the film's own sound: a commentary, a description for the blind."""

    index: int
    channels: int
    is_default: bool
    is_aside: bool
    duration_s: float


def best_track(tracks: Iterable[AudioTrack]) -> AudioTrack | None:
    """Return the track that most likely holds the film's own speech.

    The film's sound before asides, then what the file marks as default, then the most channels, the longest, and the first.
    """
    return max(tracks, key=_merit, default=None)


def _merit(track: AudioTrack) -> tuple[bool, bool, int, float, int]:
    return not track.is_aside, track.is_default, track.channels, track.duration_s, -track.index


def audio_stream(container: "InputContainer") -> "AudioStream | None":
    """Return the best sound track that a decoder exists for."""
    decodable = {stream.index: stream for stream in container.streams.audio if stream.codec_context is not None}
    best = best_track(_described(stream) for stream in decodable.values())
    return decodable[best.index] if best else None


def _described(stream: "AudioStream") -> AudioTrack:
    from av.stream import Disposition

    asides = (
        Disposition.comment
        | Disposition.visual_impaired
        | Disposition.descriptions
        | Disposition.clean_effects
        | Disposition.karaoke
        | Disposition.non_diegetic
        | Disposition.dependent
    )
    # Many programs write what a track is into its name alone.
    is_aside = bool(stream.disposition & asides) or "commentary" in stream.metadata.get("title", "").casefold()
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    return AudioTrack(stream.index, stream.codec_context.channels, bool(stream.disposition & Disposition.default), is_aside, seconds)
