"""Embed images and texts in one space with open_clip, from a checkpoint file or a tag of the hub."""

import pickle
import threading
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import BATCH_SIZE, EmbedderIdentity, ImageEmbedder
from heimdex.embedders.torch_runtime import check_packages, load_fastest, require_packages
from heimdex.embedders.weights import check_hub, hash_file
from heimdex.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from PIL.Image import Image

SETTING = "HEIMDEX_OPEN_CLIP_WEIGHTS"
PROBE_TEXTS = ["a cat", "a photo of people on a beach at sunset", "a diagram", "the skyline of a city seen from a boat"]


@dataclass(frozen=True)
class Preprocessing:
    """The library's preprocessing in two parts: pixels per image, and tensors per batch, where normalization is cheaper."""

    pixels: "Callable[[Image], NDArray[np.uint8]]"
    mean: tuple[float, ...]
    std: tuple[float, ...]
    side: int

    def build_batch(self, images: list[NDArray[np.uint8]], device: "torch.device", dtype: "torch.dtype") -> "torch.Tensor":
        """Return shape (n, 3, side, side) from n images of shape (side, side, 3)."""
        import torch

        batch = torch.from_numpy(np.stack(images)).to(device).permute(0, 3, 1, 2).float()
        mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (self.mean, self.std))
        # (x / 255 - mean) / std, in two passes over the pixels instead of three.
        return batch.mul_(1 / (255 * std)).sub_(mean / std).to(dtype)


@dataclass(frozen=True)
class LoadedClip:
    """A loaded model with its preprocessing."""

    model: Any
    preprocessing: Preprocessing
    tokenizer: "Callable[[list[str]], torch.Tensor]"
    device: "torch.device"

    def encode_images(self, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode preprocessed images."""
        import torch

        with torch.inference_mode():
            return _to_array(self.model.encode_image(self.preprocessing.build_batch(images, self.device, self.dtype)))

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Encode texts."""
        import torch

        with torch.inference_mode():
            return _to_array(self.model.encode_text(self.tokenizer(texts).to(self.device)))

    @property
    def dtype(self) -> "torch.dtype":
        """The type of the weights."""
        dtype: torch.dtype = next(self.model.parameters()).dtype
        return dtype


class OpenClipEmbedder(ImageEmbedder):
    """Embed as open_clip's own preprocessing and encoders do. Queries beyond the model's 77 tokens are truncated.

    `weights` is a checkpoint file or one of open_clip's tags. OpenAI's weights need QuickGELU: their tag sets it; for their file choose
    the architecture "ViT-B-32-quickgelu".
    """

    # The floor is not measured, because that needs the weights. LAION-400M (Schuhmann et al. 2021) kept captions with a similarity of at
    # least 0.3 by OpenAI's ViT-B-32 as matching; 0.2 drops only clearly unrelated pairs.
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
        """Identify architecture and weights. A checkpoint file is read once to hash its content."""
        revision = f"sha256:{hash_file(self._resolve_file())}" if _is_file_name(self._weights) else self._weights
        return EmbedderIdentity("open_clip", self._architecture, revision, self._dimensions, self.code_version)

    def check(self) -> list[str]:
        problems = check_packages("torch", "torchvision", "open_clip")
        if _is_file_name(self._weights):
            if not Path(self._weights).expanduser().is_file():
                problems.append(_describe_missing_file(self._weights))
        elif not problems:
            problems += self._check_tag()
        return problems

    def _check_tag(self) -> list[str]:
        require_packages("open_clip")
        import open_clip

        tag = open_clip.get_pretrained_cfg(self._architecture, self._weights)
        if not tag:
            known = ", ".join(open_clip.list_pretrained_tags_by_model(self._architecture)) or "none: correct the architecture too"
            return [f"open_clip has no weights {self._weights!r} for {self._architecture} (it has {known}): correct {SETTING}."]
        repository = str(tag.get("hf_hub", "")).strip("/")
        return check_hub(repository, ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"], None, SETTING) if repository else []

    @property
    def input_side(self) -> int:
        """The side of the architecture's square input. Load the model, because the caller is about to use it."""
        return self._get_loaded().preprocessing.side

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        return self._get_loaded().encode_texts(texts)

    def _preprocess(self, image: "Image") -> NDArray[np.uint8]:
        return self._get_loaded().preprocessing.pixels(image)

    def _encode_prepared(self, prepared: list[NDArray[np.uint8]]) -> NDArray[np.floating]:
        return self._get_loaded().encode_images(prepared)

    def _get_loaded(self) -> LoadedClip:
        with self._first_use:
            if self._clip is None:
                self._clip = self._load()
            return self._clip

    def _load(self) -> LoadedClip:
        require_packages("torch", "torchvision", "open_clip")
        import open_clip
        import torch

        tokenizer = open_clip.get_tokenizer(self._architecture)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

        def build_loaded(model: Any) -> LoadedClip:
            return LoadedClip(model, _build_preprocessing(model), tokenizer, device)

        def probe(model: Any) -> NDArray[np.float32]:
            clip = build_loaded(model)
            return np.concatenate([clip.encode_images(make_probe_images(clip.preprocessing.side)), clip.encode_texts(PROBE_TEXTS)])

        return build_loaded(load_fastest(lambda: self._read(device), probe, device))

    def _read(self, device: "torch.device") -> Any:
        import open_clip

        weights = str(self._resolve_file()) if _is_file_name(self._weights) else self._weights
        quick_gelu = bool(open_clip.get_pretrained_cfg(self._architecture, weights).get("quick_gelu", False))
        try:
            model = open_clip.create_model(self._architecture, pretrained=weights, device=device, force_quick_gelu=quick_gelu)
        except (RuntimeError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
            raise ModelUnavailable(
                f"open_clip cannot load {self._architecture} from {self._weights} ({str(error).splitlines()[0]}): correct {SETTING}, "
                "or give this machine access to the model hub once."
            ) from error
        return model.eval()

    def _resolve_file(self) -> Path:
        path = Path(self._weights).expanduser().resolve()
        if not path.is_file():
            raise ModelUnavailable(_describe_missing_file(self._weights))
        return path


def make_probe_images(side: int) -> list[NDArray[np.uint8]]:
    """Return a few fixed images of plain shapes: gradients, stripes and noise, each of shape (side, side, 3)."""
    ramp = np.linspace(0, 255, side)
    across = np.broadcast_to(ramp[None, :, None], (side, side, 3))
    stripes = np.where(np.arange(side)[:, None, None] // 16 % 2, [230.0, 40.0, 60.0], [20.0, 90.0, 200.0])
    noise = np.random.default_rng(0).integers(0, 256, (side // 8 + 1, side // 8 + 1, 3)).repeat(8, axis=0).repeat(8, axis=1)
    shapes = [across, across.transpose(1, 0, 2), np.broadcast_to(stripes, (side, side, 3)), noise[:side, :side]]
    return [shape.astype(np.uint8) for shape in shapes] * 2


def _build_preprocessing(model: Any) -> Preprocessing:
    from open_clip.transform import PreprocessCfg, image_transform_v2

    config = PreprocessCfg(**model.visual.preprocess_cfg)
    steps = image_transform_v2(config, is_train=False).transforms
    side = config.size if isinstance(config.size, int) else min(config.size)

    def preprocess_with_library(image: "Image") -> NDArray[np.uint8]:
        # The last two steps build a tensor and normalize it.
        for step in steps[:-2]:
            image = step(image)
        return np.asarray(image)

    is_standard = config.resize_mode == "shortest" and config.interpolation == "bicubic"
    pixels = partial(resize_and_crop, side=side) if is_standard else preprocess_with_library
    return Preprocessing(pixels, tuple(steps[-1].mean), tuple(steps[-1].std), side)


def resize_and_crop(image: "Image", side: int) -> NDArray[np.uint8]:
    """Resize an image so that its shorter side is `side` pixels, and crop the center square: (side, side, 3).

    The result equals the library's except for the rounding of one pixel in a hundred. torch resizes bytes several times as fast as
    Pillow.
    """
    import torch
    from torch.nn.functional import interpolate

    pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).unsqueeze(0)
    shorter = min(image.size)
    width, height = (side * length // shorter for length in image.size)
    resized = interpolate(pixels, (height, width), mode="bicubic", antialias=True)[0].permute(1, 2, 0)
    left, top = round((width - side) / 2), round((height - side) / 2)
    square: NDArray[np.uint8] = resized[top : top + side, left : left + side].numpy()
    return square


def _to_array(vectors: "torch.Tensor") -> NDArray[np.float32]:
    array: NDArray[np.float32] = vectors.float().cpu().numpy()
    return array


def _is_file_name(weights: str) -> bool:
    return "/" in weights or Path(weights).suffix in {".pt", ".pth", ".bin", ".safetensors"}


def _describe_missing_file(weights: str) -> str:
    return f"There is no checkpoint file {weights}: correct {SETTING}, or set it to a tag of open_clip such as openai."
