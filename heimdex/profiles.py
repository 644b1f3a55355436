"""The model profiles that `HEIMDEX_PROFILE` selects, and the overrides of `HEIMDEX_MODELS`.

A profile is plain data: nothing here imports a model's library, so settings load fast and a web process needs no torch.
"""

from collections.abc import Callable
from typing import Any, TypedDict

from heimdex.environment import Environment

SENTENCE_TRANSFORMER = "heimdex.embedders.sentence_transformer.SentenceTransformerEmbedder"
UNIVERSAL_SENTENCE_ENCODER = "heimdex.embedders.universal_sentence_encoder.UniversalSentenceEncoderEmbedder"
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

# Short names that `"backend"` in HEIMDEX_MODELS accepts instead of a dotted class path.
SHORT_NAMES = {
    "sentence_transformer": SENTENCE_TRANSFORMER,
    "universal_sentence_encoder": UNIVERSAL_SENTENCE_ENCODER,
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
# Those that turn inputs into vectors.
EMBEDDERS = {name: path for name, path in SHORT_NAMES.items() if path.startswith(("heimdex.embedders.", "heimdex.faces."))}
# Classes that take the server's URL and key as options.
_SERVED = {OPENAI, OPENAI_SPEECH, OPENAI_VISION}


class BackendSettings(TypedDict):
    """One entry of `MODEL_BACKENDS`: a dotted class path and the keyword arguments of its constructor."""

    BACKEND: str
    OPTIONS: dict[str, Any]


ModelBackends = dict[str, BackendSettings]


def build_packaged_profile(environment: Environment) -> ModelBackends:
    """Return the models that pip installs; they need no key and no model hub."""
    return _apply_overrides(
        environment,
        {
            "text": {"BACKEND": SENTENCE_TRANSFORMER, "OPTIONS": {"model": "all-MiniLM-L6-v2", "dimensions": 384}},
            "image": {"BACKEND": CONSE, "OPTIONS": {}},
            "speech": {"BACKEND": FASTER_WHISPER, "OPTIONS": {"model": "tiny.en"}},
            "description": {"BACKEND": TAGS, "OPTIONS": {}},
        },
    )


def build_packaged_multilingual_profile(environment: Environment) -> ModelBackends:
    """Return the packaged models with a text and a speech model of many languages, which are weaker in English (ADR 28)."""
    return _apply_overrides(
        environment,
        {
            "text": {"BACKEND": UNIVERSAL_SENTENCE_ENCODER, "OPTIONS": {}},
            "image": {"BACKEND": CONSE, "OPTIONS": {}},
            "speech": {"BACKEND": FASTER_WHISPER, "OPTIONS": {"model": "base"}},
            "description": {"BACKEND": TAGS, "OPTIONS": {}},
        },
    )


def build_local_profile(environment: Environment) -> ModelBackends:
    """Return stronger local models, which need access to a model hub or a copy of its files.

    Descriptions come from the OpenAI-compatible server that HEIMDEX_OPENAI_BASE_URL names, and otherwise are the classifier's tags:
    with only a key, an installation that chose local models would send images to OpenAI.
    """
    description: BackendSettings = {"BACKEND": TAGS, "OPTIONS": {}}
    if environment.openai_base_url:
        description = {"BACKEND": OPENAI_VISION, "OPTIONS": {"model": "gpt-4o-mini"}}
    return _apply_overrides(
        environment,
        {
            "text": {
                "BACKEND": SENTENCE_TRANSFORMER,
                "OPTIONS": {
                    "model": "intfloat/multilingual-e5-small",
                    "revision": "fd1525a9fd15316a2d503bf26ab031a61d056e98",
                    "dimensions": 384,
                    # The model card requires one of these two prefixes; without them retrieval degrades.
                    "query_prefix": "query: ",
                    "document_prefix": "passage: ",
                    # E5's cosines are close to 1. Measured with a 4-bit copy of this model on the 25 queries that set MiniLM's
                    # floor: every relevant pair was above 0.81, and 95 % of the others below 0.80.
                    "similarity_floor": 0.80,
                },
            },
            "image": _open_clip(environment),
            "speech": {"BACKEND": FASTER_WHISPER, "OPTIONS": {"model": "small"}},
            "description": description,
        },
    )


def build_openai_profile(environment: Environment) -> ModelBackends:
    """Return OpenAI's models where they exist; texts, audio and one image per scene leave the machine."""
    return _apply_overrides(
        environment,
        {
            "text": {"BACKEND": OPENAI, "OPTIONS": {"model": "text-embedding-3-small", "dimensions": 1536}},
            "image": _open_clip(environment),
            "speech": {"BACKEND": OPENAI_SPEECH, "OPTIONS": {"model": "whisper-1"}},
            "description": {"BACKEND": OPENAI_VISION, "OPTIONS": {"model": "gpt-4o-mini"}},
        },
    )


PROFILES: dict[str, Callable[[Environment], ModelBackends]] = {
    "packaged": build_packaged_profile,
    "packaged-multilingual": build_packaged_multilingual_profile,
    "local": build_local_profile,
    "openai": build_openai_profile,
}


def _open_clip(environment: Environment) -> BackendSettings:
    return {
        "BACKEND": OPEN_CLIP,
        "OPTIONS": {"architecture": "ViT-B-32", "weights": environment.open_clip_weights, "dimensions": 512},
    }


def _apply_overrides(environment: Environment, backends: ModelBackends) -> ModelBackends:
    """Apply HEIMDEX_MODELS: a `backend` replaces the profile's model and its options; options without one are merged into them.

    Every profile uses the same packaged models for on-screen text and faces; HEIMDEX_OCR=off and HEIMDEX_FACES=off remove their aliases.
    Cuts are detected by a rule, unless HEIMDEX_CUTS names a network.
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
    for alias, is_enabled in (("ocr", environment.ocr), ("faces", environment.faces)):
        if not is_enabled:
            del backends[alias]
    for backend in backends.values():
        if backend["BACKEND"] in _SERVED:
            server = {"api_key": environment.openai_api_key, "base_url": environment.openai_base_url}
            backend["OPTIONS"] = server | backend["OPTIONS"]
    return backends
