"""Whether anybody speaks at all. Asked before any model, because all of them write words into noise."""

import numpy as np
from numpy.typing import NDArray

# The shortest cry of a person; what is shorter is a knock.
_SHORTEST_MS = 250


def holds_voice(audio: NDArray[np.float32]) -> bool:
    """Tell whether there is a voice in mono sound at 16 kHz, by the Silero detector that faster-whisper carries."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    return bool(get_speech_timestamps(audio, VadOptions(min_speech_duration_ms=_SHORTEST_MS)))
