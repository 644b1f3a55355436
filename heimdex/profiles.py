"""The coherent sets of models that `HEIMDEX_PROFILE` picks from, and how `HEIMDEX_MODELS` overrides one of them.

A profile is plain data: nothing here imports a model's library, so that settings stay cheap and a web process needs no torch.
"""

from collections.abc import Callable
from typing import Any, TypedDict

from heimdex.environment import Environment

SENTENCE_TRANSFORMER = "heimdex.embedders.sentence_transformer.SentenceTransformerEmbedder"
OPENAI = "heimdex.embedders.openai.OpenAIEmbedder"
CONSE = "heimdex.embedders.conse.ConseEmbedder"
OPEN_CLIP = "heimdex.embedders.open_clip.OpenClipEmbedder"
FASTER_WHISPER = "heimdex.speech.faster_whisper.FasterWhisperTranscriber"
OPENAI_SPEECH = "heimdex.speech.openai.OpenAITranscriber"
OPENAI_VISION = "heimdex.vision.openai.OpenAIDescriber"
TAGS = "heimdex.vision.tags.TagDescriber"
RAPID_OCR = "heimdex.vision.ocr_rapid.RapidOcrReader"
YUNET_SFACE = "heimdex.faces.packaged.YuNetSFace"
DLIB = "heimdex.faces.dlib.DlibFaces"
ONNX_FACES = "heimdex.faces.onnx.OnnxFaces"
TRANSNET = "heimdex.vision.transnet.TransNetV2"

# The names that `"backend"` in HEIMDEX_MODELS may use instead of a dotted class path.
SHORT_NAMES = {
    "sentence_transformer": SENTENCE_TRANSFORMER,
    "openai": OPENAI,
    "conse": CONSE,
    "open_clip": OPEN_CLIP,
    "faster_whisper": FASTER_WHISPER,
    "openai_speech": OPENAI_SPEECH,
    "openai_vision": OPENAI_VISION,
    "tags": TAGS,
    "rapid_ocr": RAPID_OCR,
    "yunet_sface": YUNET_SFACE,
    "dlib": DLIB,
    "onnx_faces": ONNX_FACES,
}
# What is built with the server's address and key.
_SERVED = {OPENAI, OPENAI_SPEECH, OPENAI_VISION}


class BackendSettings(TypedDict):
    """One entry of `MODEL_BACKENDS`: a dotted class path and the keyword arguments it is built with."""

    BACKEND: str
    OPTIONS: dict[str, Any]


ModelBackends = dict[str, BackendSettings]


def packaged(environment: Environment) -> ModelBackends:
    """Return the models that come with pip alone: no key, no model hub."""
    return _overridden(
        environment,
        {
            "text": {"BACKEND": SENTENCE_TRANSFORMER, "OPTIONS": {"model": "all-MiniLM-L6-v2", "dimensions": 384}},
            "image": {"BACKEND": CONSE, "OPTIONS": {}},
            "speech": {"BACKEND": FASTER_WHISPER, "OPTIONS": {"model": "tiny.en"}},
            "description": {"BACKEND": TAGS, "OPTIONS": {}},
        },
    )


def local(environment: Environment) -> ModelBackends:
    """Return stronger models that run on this machine once a model hub, or a copy of its files, can be reached.

    Descriptions come from a server of OpenAI's protocol where HEIMDEX_OPENAI_BASE_URL names one, and are the classifier's tags otherwise:
    a key alone would send pictures to OpenAI from an installation that chose to keep them.
    """
    described: BackendSettings = {"BACKEND": TAGS, "OPTIONS": {}}
    if environment.openai_base_url:
        described = {"BACKEND": OPENAI_VISION, "OPTIONS": {"model": "gpt-4o-mini"}}
    return _overridden(
        environment,
        {
            "text": {
                "BACKEND": SENTENCE_TRANSFORMER,
                "OPTIONS": {
                    "model": "intfloat/multilingual-e5-small",
                    "revision": "fd1525a9fd15316a2d503bf26ab031a61d056e98",
                    "dimensions": 384,
                    # The model card: every input starts with one of the two, or retrieval degrades.
                    "query_prefix": "query: ",
                    "document_prefix": "passage: ",
                    # E5's cosines crowd near 1. Measured with a 4-bit copy of this model on the 25 queries that gave MiniLM its
                    # floor: every fitting pair was above 0.81, and 95 % of the others below 0.80.
                    "similarity_floor": 0.80,
                },
            },
            "image": _open_clip(environment),
            "speech": {"BACKEND": FASTER_WHISPER, "OPTIONS": {"model": "small"}},
            "description": described,
        },
    )


def openai(environment: Environment) -> ModelBackends:
    """Return OpenAI's models where there are any: texts, sound and a picture of each scene leave the machine."""
    return _overridden(
        environment,
        {
            "text": {"BACKEND": OPENAI, "OPTIONS": {"model": "text-embedding-3-small", "dimensions": 1536}},
            "image": _open_clip(environment),
            "speech": {"BACKEND": OPENAI_SPEECH, "OPTIONS": {"model": "whisper-1"}},
            "description": {"BACKEND": OPENAI_VISION, "OPTIONS": {"model": "gpt-4o-mini"}},
        },
    )


PROFILES: dict[str, Callable[[Environment], ModelBackends]] = {"packaged": packaged, "local": local, "openai": openai}


def _open_clip(environment: Environment) -> BackendSettings:
    return {
        "BACKEND": OPEN_CLIP,
        "OPTIONS": {"architecture": "ViT-B-32", "weights": environment.open_clip_weights, "dimensions": 512},
    }


def _overridden(environment: Environment, backends: ModelBackends) -> ModelBackends:
    """Apply HEIMDEX_MODELS: options alone refine the profile's model, a `backend` replaces it with all its options.

    Every profile reads on-screen text and finds faces with the same packaged models; with HEIMDEX_OCR=off or HEIMDEX_FACES=off there
    is no such alias. Cuts are found by a rule, unless HEIMDEX_CUTS names a network.
    """
    backends["ocr"] = {"BACKEND": RAPID_OCR, "OPTIONS": {}}
    backends["faces"] = {"BACKEND": YUNET_SFACE, "OPTIONS": {}}
    if environment.cuts == "transnetv2":
        backends["cuts"] = {"BACKEND": TRANSNET, "OPTIONS": {}}
    for alias, override in environment.models.items():
        options = dict(override.model_extra or {})
        if override.backend:
            backends[alias] = {"BACKEND": SHORT_NAMES.get(override.backend, override.backend), "OPTIONS": options}
        else:
            backends[alias]["OPTIONS"].update(options)
    for alias, wanted in (("ocr", environment.ocr), ("faces", environment.faces)):
        if not wanted:
            del backends[alias]
    for backend in backends.values():
        if backend["BACKEND"] in _SERVED:
            server = {"api_key": environment.openai_api_key, "base_url": environment.openai_base_url}
            backend["OPTIONS"] = server | backend["OPTIONS"]
    return backends
