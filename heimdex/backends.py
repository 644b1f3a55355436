"""The models of `settings.MODEL_BACKENDS`, one instance per alias and process, built when first asked for."""

import threading
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from heimdex.embedders.base import Embedder, ImageEmbedder, TextEmbedder

if TYPE_CHECKING:
    from heimdex.faces.base import FaceModel
    from heimdex.speech.base import Transcriber
    from heimdex.vision.base import Describer
    from heimdex.vision.ocr import TextReader
    from heimdex.vision.transnet import TransNetV2


class BackendHandler:
    """Map an alias to its instance, as `django.core.files.storage.storages` does; threads share the instances."""

    def __init__(self) -> None:
        self._instances: dict[str, Any] = {}
        self._building = threading.Lock()

    def __getitem__(self, alias: str) -> Any:
        """Return the instance; raises ImproperlyConfigured for an unknown alias, class or option. Loads no model."""
        with self._building:
            if alias not in self._instances:
                self._instances[alias] = _build(alias)
            return self._instances[alias]

    def reset(self) -> None:
        """Forget all instances, so that changed settings take effect."""
        with self._building:
            self._instances.clear()


backends = BackendHandler()


def text_embedder() -> TextEmbedder:
    """Return the embedder of texts."""
    embeds_text: TextEmbedder = _of_kind("text", TextEmbedder)
    return embeds_text


def image_embedder() -> ImageEmbedder:
    """Return the embedder of pictures."""
    embeds_images: ImageEmbedder = _of_kind("image", ImageEmbedder)
    return embeds_images


def embedder(alias: str) -> Embedder:
    """Return the embedder that a pipeline step names."""
    embeds: Embedder = _of_kind(alias, Embedder)
    return embeds


def transcriber() -> "Transcriber":
    """Return what turns speech into words."""
    from heimdex.speech.base import Transcriber

    speech: Transcriber = _of_kind("speech", Transcriber)
    return speech


def describer() -> "Describer":
    """Return what turns keyframes into tags and sentences."""
    description: Describer = backends["description"]
    return description


def text_reader() -> "TextReader | None":
    """Return what reads text in keyframes; None when HEIMDEX_OCR is off."""
    reader: TextReader | None = backends["ocr"] if "ocr" in settings.MODEL_BACKENDS else None
    return reader


def cut_network() -> "TransNetV2 | None":
    """Return the network that finds cuts; None where a rule does (HEIMDEX_CUTS)."""
    network: TransNetV2 | None = backends["cuts"] if "cuts" in settings.MODEL_BACKENDS else None
    return network


def face_model() -> "FaceModel | None":
    """Return what finds faces and embeds them; None when HEIMDEX_FACES is off."""
    from heimdex.faces.base import FaceModel

    faces: FaceModel | None = _of_kind("faces", FaceModel) if "faces" in settings.MODEL_BACKENDS else None
    return faces


def _of_kind(alias: str, kind: type[Any]) -> Any:
    instance = backends[alias]
    if not isinstance(instance, kind):
        raise ImproperlyConfigured(
            f"MODEL_BACKENDS[{alias!r}] is a {type(instance).__name__}, but a {kind.__name__} is needed: "
            f'correct "backend" of "{alias}" in HEIMDEX_MODELS.'
        )
    return instance


def _build(alias: str) -> Any:
    try:
        configured = settings.MODEL_BACKENDS[alias]
    except KeyError:
        known = ", ".join(sorted(settings.MODEL_BACKENDS))
        raise ImproperlyConfigured(f"MODEL_BACKENDS has no model {alias!r} (it has {known}): add it, or use one of these.") from None
    fix = f'correct "{alias}" in HEIMDEX_MODELS, or choose another HEIMDEX_PROFILE'
    return build(configured["BACKEND"], configured["OPTIONS"], of=f"MODEL_BACKENDS[{alias!r}]", fix=f": {fix}.")


def build(path: str, options: dict[str, Any], *, of: str, fix: str = "") -> Any:
    """Return an instance of the class at a dotted path; ImproperlyConfigured, which names what it is `of`, for a wrong class or option."""
    try:
        backend_class = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{of} names {path}, which cannot be imported ({error}){fix}") from error
    try:
        return backend_class(**options)
    except TypeError as error:
        raise ImproperlyConfigured(f"{of} has options that {path} does not take ({error}){fix}") from error


def _forget_on_change(*, setting: str, **kwargs: object) -> None:
    if setting == "MODEL_BACKENDS":
        backends.reset()


setting_changed.connect(_forget_on_change)
