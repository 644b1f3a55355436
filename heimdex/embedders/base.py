"""The base classes of embedders: identity, batching, normalization, validation of the answer, and call counts."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.batching import sort_longest_first
from heimdex.embedders.vectors import Vectors, normalize_rows, validate_vectors
from heimdex.errors import InputsRejected, ModelInputError

if TYPE_CHECKING:
    from PIL.Image import Image

Input = TypeVar("Input")

# Larger is slower on CPUs (cache misses, padding) and gains nothing on small models.
BATCH_SIZE = 32
# Where the cosine of a typical match lies between the floor (0) and equality (1). The median of the judged pairs is 0.47 with
# MiniLM (floor 0.2), 0.36 with ConSE (0.1) and 0.87 with E5 (0.8).
TYPICAL_MATCH = 1 / 3


@dataclass(frozen=True)
class EmbedderIdentity:
    """What two embedders must share for their vectors to be comparable; part of every fingerprint."""

    backend: str
    model: str
    revision: str
    dimensions: int
    code_version: int = 1

    def describe(self) -> dict[str, Any]:
        """Return the identity as JSON data. The first code version is left out, because spaces were recorded before there was one."""
        described = asdict(self)
        return {name: value for name, value in described.items() if (name, value) != ("code_version", 1)}


class Embedder(ABC):
    """Embed inputs as float32 vectors of unit length. Load the model on first use; threads may share an instance.

    `similarity_floor` is the cosine between a query and a document below which a match is noise. `batch_size` is the number of
    inputs per model call. `code_version` rises when this project's code makes other vectors with the same weights and options;
    `spec.lock.json` records the digest of the code. `languages` are the ISO 639-1 codes of the languages whose texts the model compares by
    their meaning; none means that they are not known.
    """

    code_version = 1
    languages: frozenset[str] = frozenset()

    def __init__(self, *, similarity_floor: float, batch_size: int = BATCH_SIZE) -> None:
        self.similarity_floor = similarity_floor
        self.batch_size = batch_size
        self._calls = 0
        self._tokens = 0
        self._counting = threading.Lock()

    @property
    @abstractmethod
    def identity(self) -> EmbedderIdentity:
        """Identify the model, without loading it or importing its library."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return one sentence per problem that keeps the model from working, with the setting and the fix. Load no weights."""

    @property
    def calls(self) -> int:
        """The number of model calls that this instance made, including failed calls."""
        return self._calls

    @property
    def preferred_batch_size(self) -> int:
        """The number of inputs to pass together, so that every model call is full and all parallel calls are used."""
        return self.batch_size

    @property
    def tokens(self) -> int:
        """The number of tokens that were billed so far; 0 for local models."""
        return self._tokens

    def rate_similarity(self, similarity: float) -> float:
        """Return how certain a match of this cosine is, on one scale for all models: 0 at the floor, 1 at a typical match. Pure."""
        return (similarity - self.similarity_floor) / (TYPICAL_MATCH * (1.0 - self.similarity_floor))

    def understands(self, language: str) -> bool:
        """Return whether the model compares texts of a language by their meaning. Say yes where either is not known."""
        return not language or not self.languages or language in self.languages

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed search queries.

        Return shape (len(texts), dimensions), float32, rows of unit length. Raise InputsRejected when the model rejects some texts,
        ModelUnavailable when the model cannot be used.
        """
        return self._embed_texts(texts, self._encode_queries)

    @abstractmethod
    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        """Embed one batch with one model call. Return vectors of any length, in order."""

    def _split_windows(self, text: str) -> list[str]:
        """Split a text that is too long for the model into windows that fit."""
        return [text]

    def _embed_texts(self, texts: Sequence[str], encode: Callable[[list[str]], NDArray[np.floating]]) -> Vectors:
        windows_by_text = [self._split_windows(_replace_surrogates(text)) for text in texts]
        windows = [window for text_windows in windows_by_text for window in text_windows]
        starts = np.cumsum([0] + [len(text_windows) for text_windows in windows_by_text])
        try:
            vectors = self._embed(windows, encode, sort_longest_first(windows))
        except InputsRejected as error:
            text_of_window = np.repeat(np.arange(len(texts)), np.diff(starts))
            reasons = {int(text_of_window[position]): reason for position, reason in error.reasons.items()}
            raise InputsRejected(_average_windows(error.vectors, starts), reasons) from error
        return _average_windows(vectors, starts)

    def _embed(self, inputs: Sequence[Input], encode: Callable[[list[Input]], NDArray[np.floating]], order: Sequence[int]) -> Vectors:
        result = np.zeros((len(inputs), self.identity.dimensions), dtype=np.float32)
        reasons: dict[int, str] = {}

        def embed_batch(positions: Sequence[int]) -> None:
            batch = [inputs[position] for position in positions]
            try:
                self._count_call()
                answer = validate_vectors(encode(batch), len(batch), self.identity.dimensions, self.identity.model)
                result[positions] = normalize_rows(answer)
            except ModelInputError as error:
                if len(positions) == 1:
                    reasons[positions[0]] = str(error)
                    return
                # Split in halves, so that one bad input costs a few more calls instead of one call per input.
                middle = len(positions) // 2
                embed_batch(positions[:middle])
                embed_batch(positions[middle:])

        self._run_batches(embed_batch, self._split(inputs, order))
        if reasons:
            raise InputsRejected(result, reasons)
        return result

    def _split(self, inputs: Sequence[Any], order: Sequence[int]) -> list[Sequence[int]]:
        """Split the ordered positions into model calls."""
        return [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]

    def _run_batches(self, embed_batch: Callable[[Sequence[int]], None], batches: Iterable[Sequence[int]]) -> None:
        """Call the model for one batch after another, because a local model already uses all cores."""
        for positions in batches:
            embed_batch(positions)

    def _count_call(self) -> None:
        with self._counting:
            self._calls += 1

    def _count_tokens(self, tokens: int) -> None:
        with self._counting:
            self._tokens += tokens


class TextEmbedder(Embedder):
    """An embedder whose documents are texts."""

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Embed documents. The result and the errors are those of `embed_queries`."""
        return self._embed_texts(texts, self._encode_documents)

    @abstractmethod
    def _encode_documents(self, texts: list[str]) -> NDArray[np.floating]:
        """Embed one batch with one model call. Return vectors of any length, in order."""


class ImageEmbedder(Embedder):
    """An embedder whose documents are images."""

    @property
    @abstractmethod
    def input_side(self) -> int:
        """The shorter side, in pixels, of the model's input. Larger images may be decoded at a reduced size."""

    def embed_images(self, images: "Sequence[Image]") -> Vectors:
        """Embed images of any size and mode. The result and the errors are those of `embed_queries`."""
        return self.embed_prepared([self.prepare(image) for image in images])

    def prepare(self, image: "Image") -> Any:
        """Preprocess one image without the model, on any thread. Raise ModelInputError when the image cannot be decoded."""
        try:
            image.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise ModelInputError(f"An image cannot be decoded ({error}): replace its file.") from error
        return self._preprocess(image)

    def embed_prepared(self, prepared: Sequence[Any]) -> Vectors:
        """Embed the results of `prepare`. The result and the errors are those of `embed_queries`."""
        return self._embed(prepared, self._encode_prepared, range(len(prepared)))

    @abstractmethod
    def _preprocess(self, image: "Image") -> Any:
        """Convert a decoded image of any mode to the input of `_encode_prepared`. Keep it small, because many wait in memory."""

    @abstractmethod
    def _encode_prepared(self, prepared: list[Any]) -> NDArray[np.floating]:
        """Embed one batch of prepared images with one model call. Return vectors of any length, in order."""


def _average_windows(vectors: Vectors, starts: NDArray[np.integer]) -> Vectors:
    """Return the normalized mean of each text's windows, so that every part of a long text counts."""
    if len(vectors) == len(starts) - 1:
        # A text of one window keeps the model's own vector.
        return vectors
    means = np.stack([vectors[start:end].mean(axis=0) for start, end in pairwise(starts)])
    blank = ~means.any(axis=1)
    # Only rejected texts have means of zero. A placeholder direction lets normalize_rows accept their rows.
    means[blank, 0] = 1.0
    unit = normalize_rows(means)
    unit[blank] = 0.0
    return unit


def _replace_surrogates(text: str) -> str:
    # JSON can contain half a surrogate pair, which tokenizers and HTTP clients cannot encode.
    return text.encode("utf-8", "replace").decode("utf-8")
