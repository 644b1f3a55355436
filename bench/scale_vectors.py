"""Vectors of scenes as models make them. Pure."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Vectors of topics, as videos have them: of an owner's scenes, some are near each other.
TOPICS = 3_000
CHUNK = 20_000


def make_vectors(channel: str, dimensions: int, video_of_scene: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    """Yield normalized vectors, shape (scenes, dimensions), in chunks of scenes.

    As in real models, all vectors lean to one side, few directions hold most of the variance, and the scenes of a video share topics.
    """
    noise = np.random.default_rng([len(channel), *channel.encode()])
    basis, topics = make_topics(noise, dimensions)
    for start in range(0, len(video_of_scene), CHUNK):
        videos = video_of_scene[start : start + CHUNK]
        first = topics[(videos * 7) % TOPICS]
        second = topics[noise.integers(0, TOPICS, len(videos))]
        own = noise.standard_normal((len(videos), dimensions), dtype=np.float32) * basis
        vectors = first * 0.5 + second * 0.7 + own * 0.7
        vectors[:, 0] += 0.5
        yield vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def make_topics(noise: np.random.Generator, dimensions: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the scale of each direction (variance falls with its rank), and the vectors of the topics."""
    basis = (np.arange(1, dimensions + 1, dtype=np.float32) + 10) ** -0.5
    basis /= np.linalg.norm(basis)
    return basis, noise.standard_normal((TOPICS, dimensions), dtype=np.float32) * basis
