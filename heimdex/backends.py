"""The models of `settings.MODEL_BACKENDS`: one instance per alias and process, built on first use."""

import threading
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from heimdex.embedders.base import Embedder, ImageEmbedder, TextEmbedder

if TYPE_CHECKING:
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
        """Return the instance without loading its model. Raise ImproperlyConfigured for an unknown alias, class or option."""
        with self._building:
            if alias not in self._instances:
                self._instances[alias] = _build(alias)
            return self._instances[alias]

    def reset(self) -> None:
        """Drop all instances, so that changed settings take effect."""
        with self._building:
            self._instances.clear()


backends = BackendHandler()


def get_text_embedder() -> TextEmbedder:
    """Return the text embedder."""
    text: TextEmbedder = _get_instance("text", TextEmbedder)
    return text


def get_image_embedder() -> ImageEmbedder:
    """Return the image embedder."""
    image: ImageEmbedder = _get_instance("image", ImageEmbedder)
    return image


def get_embedder(alias: str) -> Embedder:
    """Return the embedder that a pipeline step names."""
    instance: Embedder = _get_instance(alias, Embedder)
    return instance


def get_transcriber() -> "Transcriber":
    """Return the speech model."""
    from heimdex.speech.base import Transcriber

    instance: Transcriber = _get_instance("speech", Transcriber)
    return instance


def get_describer() -> "Describer":
    """Return the model that describes keyframes by tags and sentences."""
    instance: Describer = backends["description"]
    return instance


def get_text_reader() -> "TextReader | None":
    """Return the model that reads text in keyframes; None when HEIMDEX_OCR is off."""
    instance: TextReader | None = backends["ocr"] if "ocr" in settings.MODEL_BACKENDS else None
    return instance


def get_cut_network() -> "TransNetV2 | None":
    """Return the network that detects cuts; None when HEIMDEX_CUTS selects the rule."""
    instance: TransNetV2 | None = backends["cuts"] if "cuts" in settings.MODEL_BACKENDS else None
    return instance


def _get_instance(alias: str, base: type[Any]) -> Any:
    instance = backends[alias]
    if not isinstance(instance, base):
        raise ImproperlyConfigured(
            f"MODEL_BACKENDS[{alias!r}] is a {type(instance).__name__}, but a {base.__name__} is required. "
            f'Correct "backend" of "{alias}" in HEIMDEX_MODELS.'
        )
    return instance


def _build(alias: str) -> Any:
    try:
        configured = settings.MODEL_BACKENDS[alias]
    except KeyError:
        known = ", ".join(sorted(settings.MODEL_BACKENDS))
        raise ImproperlyConfigured(f"MODEL_BACKENDS has no model {alias!r}. Add it, or use one of: {known}.") from None
    fix = f'correct "{alias}" in HEIMDEX_MODELS, or choose another HEIMDEX_PROFILE'
    return build(configured["BACKEND"], configured["OPTIONS"], of=f"MODEL_BACKENDS[{alias!r}]", fix=f": {fix}.")


def build(path: str, options: dict[str, Any], *, of: str, fix: str = "") -> Any:
    """Return an instance of the class at a dotted path.

    Raise ImproperlyConfigured for an unknown class or option; its message names `of`, the setting or row that holds the path.
    """
    try:
        backend_class = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{of} names {path}, which cannot be imported ({error}){fix}") from error
    try:
        return backend_class(**options)
    except TypeError as error:
        raise ImproperlyConfigured(f"{of} has options that {path} does not take ({error}){fix}") from error


def _reset_on_change(*, setting: str, **kwargs: object) -> None:
    if setting == "MODEL_BACKENDS":
        backends.reset()


setting_changed.connect(_reset_on_change)
