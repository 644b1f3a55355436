"""Select the audio track of a video that is transcribed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer


@dataclass(frozen=True)
class AudioTrack:
    """A track as the file describes it. `is_secondary` marks commentaries and descriptions for the blind."""

    index: int
    channels: int
    is_default: bool
    is_secondary: bool
    duration_s: float


def select_track(tracks: Iterable[AudioTrack]) -> AudioTrack | None:
    """Return the track that most likely contains the film's own speech.

    Main sound precedes secondary tracks; then the default track, the most channels, the longest and the first take precedence.
    """
    return max(tracks, key=_rank, default=None)


def _rank(track: AudioTrack) -> tuple[bool, bool, int, float, int]:
    return not track.is_secondary, track.is_default, track.channels, track.duration_s, -track.index


def find_audio_stream(container: "InputContainer") -> "AudioStream | None":
    """Return the best audio track for which a decoder exists."""
    decodable = {stream.index: stream for stream in container.streams.audio if stream.codec_context is not None}
    best = select_track(_describe(stream) for stream in decodable.values())
    return decodable[best.index] if best else None


def _describe(stream: "AudioStream") -> AudioTrack:
    from av.stream import Disposition

    secondary = (
        Disposition.comment
        | Disposition.visual_impaired
        | Disposition.descriptions
        | Disposition.clean_effects
        | Disposition.karaoke
        | Disposition.non_diegetic
        | Disposition.dependent
    )
    # Many programs state the kind of a track only in its name.
    is_secondary = bool(stream.disposition & secondary) or "commentary" in stream.metadata.get("title", "").casefold()
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    return AudioTrack(stream.index, stream.codec_context.channels, bool(stream.disposition & Disposition.default), is_secondary, seconds)
