"""RapidOCR on ONNX Runtime: PP-OCRv6's small models, which its package carries; nothing is fetched."""

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heimdex.vision.ocr import ReadLine, TextReader

if TYPE_CHECKING:
    from PIL import Image

PACKAGE = "rapidocr"
DETECTION = "models/PP-OCRv6_det_small.onnx"
RECOGNITION = "models/PP-OCRv6_rec_small.onnx"
# Lines are cut out of a picture of this longest side, and looked for in one of DETECTION_SIDE.
LARGEST_SIDE = 1280
DETECTION_SIDE = 736
# Nothing can be read in a picture less high or wide than a line.
SMALLEST_SIDE = 12


class RapidOcrReader(TextReader):
    """Read Latin, Chinese and Japanese text that stands upright. Pictures are read one at a time, their lines in batches of six.

    `threads` bounds what one call takes of the machine, since other workers and the web server share it.
    """

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._loading = threading.Lock()
        self._engine: Any = None

    @property
    def identity(self) -> str:
        """The models and how large a picture they see."""
        return f"rapidocr/PP-OCRv6-small@{DETECTION_SIDE}"

    def check(self) -> list[str]:
        """Return what keeps the models from working."""
        needed = [(PACKAGE, _model(DETECTION) is not None and _model(RECOGNITION) is not None), ("onnxruntime", _is_there("onnxruntime"))]
        return [
            f"Reading on-screen text needs the package {package} with its files: install requirements/worker.txt, or set HEIMDEX_OCR=off."
            for package, present in needed
            if not present
        ]

    def read(self, images: "Sequence[Image.Image]") -> list[list[ReadLine]]:
        """Read each picture. RuntimeError with the fix in its text when a package or its models are missing."""
        return [self._read(image) for image in images]

    def _read(self, image: "Image.Image") -> list[ReadLine]:
        import numpy as np

        if min(image.size) < SMALLEST_SIDE:
            return []
        picture = image.convert("RGB")
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        # The models were trained on pictures as OpenCV reads them: blue first.
        found = self._loaded()(np.ascontiguousarray(np.asarray(picture)[:, :, ::-1]))
        if found.txts is None:
            return []
        return [ReadLine(str(text), float(score)) for text, score in zip(found.txts, found.scores, strict=True)]

    def _loaded(self) -> Any:
        with self._loading:
            if self._engine is None:
                if problems := self.check():
                    raise RuntimeError(" ".join(problems))
                from rapidocr import RapidOCR

                self._engine = RapidOCR(params=self._parameters())
            return self._engine

    def _parameters(self) -> dict[str, Any]:
        return {
            # With the paths given, the library neither looks for newer models nor downloads any.
            "Det.model_path": str(_model(DETECTION)),
            "Rec.model_path": str(_model(RECOGNITION)),
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            # Films are not upside down, and asking of every line whether it is costs time.
            "Global.use_cls": False,
            "Global.max_side_len": LARGEST_SIDE,
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }


def _model(name: str) -> Path | None:
    """Find a model within the package without importing it."""
    spec = find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((path for folder in folders if (path := Path(folder) / name).is_file()), None)


def _is_there(package: str) -> bool:
    return find_spec(package) is not None
