"""Pictures and texts in one space through open_clip, from a checkpoint file or a tag of the hub."""

import pickle
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import BATCH_SIZE, EmbedderIdentity, ImageEmbedder
from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.embedders.torch_runtime import missing_packages, require
from heimdex.embedders.weights import digest, hub_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from PIL.Image import Image

SETTING = "HEIMDEX_OPEN_CLIP_WEIGHTS"


@dataclass(frozen=True)
class LoadedClip:
    """A model in memory with its own preprocessing."""

    model: Any
    preprocess: "Callable[[Image], torch.Tensor]"
    tokenizer: "Callable[[list[str]], torch.Tensor]"
    device: "torch.device"


class OpenClipEmbedder(ImageEmbedder):
    """Embed as open_clip's own preprocessing and encoders do; queries beyond the model's 77 tokens are cut.

    `weights` is a checkpoint file or one of open_clip's tags. OpenAI's own weights need QuickGELU: their tag brings it, for their
    file choose the architecture "ViT-B-32-quickgelu".
    """

    # The floor is not measured here, for want of weights. For ViT-B-32 of OpenAI, LAION-400M (Schuhmann et al. 2021) kept captions
    # from 0.3 on as fitting; 0.2 drops only what is clearly beside the point.
    def __init__(
        self,
        weights: str,
        architecture: str = "ViT-B-32",
        dimensions: int = 512,
        similarity_floor: float = 0.2,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        super().__init__(similarity_floor=similarity_floor, batch_size=batch_size)
        self._weights = weights
        self._architecture = architecture
        self._dimensions = dimensions
        self._first_use = threading.Lock()
        self._clip: LoadedClip | None = None

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """Name architecture and weights; a checkpoint file is read once to name its content."""
        revision = f"sha256:{digest(self._file())}" if _is_file_name(self._weights) else self._weights
        return EmbedderIdentity("open_clip", self._architecture, revision, self._dimensions)

    def check(self) -> list[str]:
        problems = missing_packages("torch", "torchvision", "open_clip")
        if _is_file_name(self._weights):
            if not Path(self._weights).expanduser().is_file():
                problems.append(_no_file(self._weights))
        elif not problems:
            problems += self._tag_problem()
        return problems

    def _tag_problem(self) -> list[str]:
        require("open_clip")
        import open_clip

        tag = open_clip.get_pretrained_cfg(self._architecture, self._weights)
        if not tag:
            known = ", ".join(open_clip.list_pretrained_tags_by_model(self._architecture)) or "none: correct the architecture too"
            return [f"open_clip has no weights {self._weights!r} for {self._architecture} (it has {known}): correct {SETTING}."]
        repository = str(tag.get("hf_hub", "")).strip("/")
        return hub_problem(repository, ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"], None, SETTING) if repository else []

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        clip = self._loaded()
        import torch

        with torch.inference_mode():
            return _array(clip.model.encode_text(clip.tokenizer(texts).to(clip.device)))

    def _encode_images(self, images: "list[Image]") -> NDArray[np.floating]:
        clip = self._loaded()
        import torch

        with torch.inference_mode():
            return _array(clip.model.encode_image(torch.stack([clip.preprocess(image) for image in images]).to(clip.device)))

    def _loaded(self) -> LoadedClip:
        with self._first_use:
            if self._clip is None:
                self._clip = self._load()
            return self._clip

    def _load(self) -> LoadedClip:
        require("torch", "torchvision", "open_clip")
        import open_clip
        import torch

        weights = str(self._file()) if _is_file_name(self._weights) else self._weights
        quick_gelu = bool(open_clip.get_pretrained_cfg(self._architecture, weights).get("quick_gelu", False))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            model, _, preprocess = open_clip.create_model_and_transforms(
                self._architecture, pretrained=weights, device=device, force_quick_gelu=quick_gelu
            )
        except (RuntimeError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
            raise EmbedderUnavailable(
                f"open_clip cannot load {self._architecture} from {self._weights} ({str(error).splitlines()[0]}): correct {SETTING}, "
                "or give this machine access to the model hub once."
            ) from error
        return LoadedClip(model.eval(), preprocess, open_clip.get_tokenizer(self._architecture), device)

    def _file(self) -> Path:
        path = Path(self._weights).expanduser().resolve()
        if not path.is_file():
            raise EmbedderUnavailable(_no_file(self._weights))
        return path


def _array(vectors: "torch.Tensor") -> NDArray[np.float32]:
    array: NDArray[np.float32] = vectors.float().cpu().numpy()
    return array


def _is_file_name(weights: str) -> bool:
    return "/" in weights or Path(weights).suffix in {".pt", ".pth", ".bin", ".safetensors"}


def _no_file(weights: str) -> str:
    return f"There is no checkpoint file {weights}: correct {SETTING}, or set it to a tag of open_clip such as openai."
