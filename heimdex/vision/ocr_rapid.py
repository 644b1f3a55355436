"""Read text with RapidOCR on ONNX Runtime: the small PP-OCRv6 models of its package. Nothing is downloaded."""

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heimdex.errors import ModelUnavailable
from heimdex.vision.ocr import TextLine, TextReader

if TYPE_CHECKING:
    from PIL import Image

PACKAGE = "rapidocr"
DETECTION = "models/PP-OCRv6_det_small.onnx"
RECOGNITION = "models/PP-OCRv6_rec_small.onnx"
# The longest side of the image that lines are read from; they are detected in an image of DETECTION_SIDE.
MAX_SIDE = 1280
DETECTION_SIDE = 736
# An image smaller than a line has no readable text.
MIN_SIDE = 12


class RapidOcrReader(TextReader):
    """Read upright Latin, Chinese and Japanese text, one image at a time and its lines in batches of six.

    `threads` limits the cores of one call, because other workers and the web server share the machine.
    """

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._loading = threading.Lock()
        self._engine: Any = None

    @property
    def identity(self) -> str:
        """The models and the size of their input."""
        return f"rapidocr/PP-OCRv6-small@{DETECTION_SIDE}"

    def check(self) -> list[str]:
        """Return what keeps the models from working."""
        needed = [
            (PACKAGE, _find_model(DETECTION) is not None and _find_model(RECOGNITION) is not None),
            ("onnxruntime", _is_installed("onnxruntime")),
        ]
        return [
            f"Reading on-screen text needs the package {package} with its files: install requirements/worker.txt, or set HEIMDEX_OCR=off."
            for package, present in needed
            if not present
        ]

    def read(self, images: "Sequence[Image.Image]") -> list[list[TextLine]]:
        """Read each image. Raise ModelUnavailable, whose message names the fix, when a package or its models are missing."""
        return [self._read(image) for image in images]

    def _read(self, image: "Image.Image") -> list[TextLine]:
        import numpy as np

        if min(image.size) < MIN_SIDE:
            return []
        rgb = image.convert("RGB")
        rgb.thumbnail((MAX_SIDE, MAX_SIDE))
        # The models were trained on images as OpenCV reads them: blue first.
        result = self._load()(np.ascontiguousarray(np.asarray(rgb)[:, :, ::-1]))
        if result.txts is None:
            return []
        return [TextLine(str(text), float(score)) for text, score in zip(result.txts, result.scores, strict=True)]

    def _load(self) -> Any:
        with self._loading:
            if self._engine is None:
                if problems := self.check():
                    raise ModelUnavailable(" ".join(problems))
                from rapidocr import RapidOCR

                self._engine = RapidOCR(params=self._build_parameters())
            return self._engine

    def _build_parameters(self) -> dict[str, Any]:
        return {
            # With these paths the library neither looks for newer models nor downloads any.
            "Det.model_path": str(_find_model(DETECTION)),
            "Rec.model_path": str(_find_model(RECOGNITION)),
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            # Films are not upside down, and classifying the orientation of every line takes time.
            "Global.use_cls": False,
            "Global.max_side_len": MAX_SIDE,
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }


def _find_model(name: str) -> Path | None:
    """Find a model in the package without importing the package."""
    spec = find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((path for folder in folders if (path := Path(folder) / name).is_file()), None)


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
