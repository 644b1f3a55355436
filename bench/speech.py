"""V5 and V6: the word error rate of the packaged speech model on clean speech, and the words it transcribes in sounds without speech."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from bench.benchmark import Goal, Group
from bench.word_errors import count_word_errors
from demo.film import decode_speech, load_reference_texts
from heimdex.speech.base import SAMPLE_RATE
from heimdex.speech.chunks import transcribe_chunks
from heimdex.speech.faster_whisper import FasterWhisperTranscriber

# Longer than a chunk, so that errors at chunk boundaries show.
SECONDS = 120
# The model is deterministic; the generated sounds differ by round.
ROUNDS = 5


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield the word error rate in percent, and the number of words transcribed in the round's sounds without speech."""
    speech = FasterWhisperTranscriber()
    texts = load_reference_texts()
    for number in range(ROUNDS):
        # Recordings have different loudness.
        loudness = (1.0, 0.5, 0.25, 0.7, 0.1)[number]
        errors = sum(
            count_word_errors(text, speech.transcribe(decode_speech(name, SAMPLE_RATE) * loudness).text) for name, text in texts.items()
        )
        words = sum(len(stretch.words) for sound in generate_sounds(number) for stretch in transcribe_chunks(speech, _split_seconds(sound)))
        yield {"V5": 100 * errors / sum(len(text.split()) for text in texts.values()), "V6": float(words)}


def generate_sounds(seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield two minutes each of silence, white noise, pink noise, mains hum, a siren, chords with a beat, and a plucked melody."""
    random = np.random.default_rng(seed)
    times_s = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    yield np.zeros(times_s.size, np.float32)
    white = random.normal(0, 0.1, times_s.size)
    yield white.astype(np.float32)
    spectrum = np.fft.rfft(white)
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 1))
    pink = np.fft.irfft(spectrum, times_s.size)
    yield (0.2 * pink / np.abs(pink).max()).astype(np.float32)
    hum = np.zeros(times_s.size)
    for harmonic in (1, 2, 3, 5):
        hum += 0.1 / harmonic * np.sin(2 * np.pi * 50 * harmonic * times_s)
    yield hum.astype(np.float32)
    yield (0.2 * np.sin(2 * np.pi * (900 * times_s - 400 / np.pi * np.cos(np.pi * times_s)))).astype(np.float32)
    yield _play_notes(times_s, random.permutation(8), notes_a_second=2.0, voices=3) + _generate_beat(times_s, random)
    yield _play_notes(times_s, random.permutation(8), notes_a_second=4.0, voices=1)


def _play_notes(times_s: NDArray[np.float64], order: NDArray[np.int64], *, notes_a_second: float, voices: int) -> NDArray[np.float32]:
    """Pluck the notes of a minor scale, each with its overtones."""
    scale = 220.0 * 2 ** (np.array([0, 2, 3, 5, 7, 8, 10, 12]) / 12)
    place = (times_s * notes_a_second).astype(int)
    fading = np.exp(-4 * ((times_s * notes_a_second) % 1))
    samples = np.zeros(times_s.size)
    for voice in range(voices):
        tone = scale[order[(place + 2 * voice) % 8]]
        samples += sum(0.12 / overtone * np.sin(2 * np.pi * tone * overtone * times_s) for overtone in (1, 2, 3))
    return (samples * fading).astype(np.float32)


def _generate_beat(times_s: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float32]:
    return (random.normal(0, 0.2, times_s.size) * np.exp(-30 * (times_s % 0.5))).astype(np.float32)


def _split_seconds(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, samples.size, SAMPLE_RATE):
        yield samples[start : start + SAMPLE_RATE]


GROUP = Group(
    (
        Goal("V5", "word error rate of the packaged speech model on packaged clean speech", "the reference text", 4.2, "%", at_least=False),
        Goal("V6", "words transcribed in silence, noise, tones and music", "none", 0.0, "words", at_least=False),
    ),
    run_rounds,
)
