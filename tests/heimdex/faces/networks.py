"""The paths of the default model's network files."""

from pathlib import Path

from heimdex.embedders.weights import find_packaged_folder
from heimdex.faces import packaged

FOLDER = find_packaged_folder(packaged.CARRIER, "models") or Path()
DETECTOR = FOLDER / f"{packaged.DETECTOR}.onnx"
EMBEDDER = FOLDER / f"{packaged.EMBEDDER}.onnx"
