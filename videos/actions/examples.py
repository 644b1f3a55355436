"""Load the example of a search: an uploaded image, or a frame of a scene."""

import hashlib
import io
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING
from uuid import UUID

from heimdex.accounts.models import User
from heimdex.errors import Refused, Unavailable
from heimdex.media.errors import MediaError
from heimdex.media.photos import clean_photo
from heimdex.media.sandbox import DecodingInterrupted, call_sandboxed
from heimdex.media.sandbox_protocol import limit_probe
from heimdex.storage import get_media_storage
from videos.ingest.stage import get_decoder_limits
from videos.models import Scene
from videos.search.examples import Example

if TYPE_CHECKING:
    from PIL.Image import Image

# Below the largest body that the web server accepts.
MAX_IMAGE_BYTES = 3 * 1024**2
TOO_LARGE = "The image has more than 3 MB. Scale it down: 1,600 pixels are enough."
NO_FRAME = "This scene has no frame {number}. Choose one up to {count}."
NO_FILE = "The frame's file is gone. Retry the video, and search again."
TRY_AGAIN = "The image could not be decoded this time. Try again."


def load_image(content: bytes) -> Example:
    """Return an uploaded image, decoded in a sandboxed process. Raise Refused when it is unusable, Unavailable when a retry may succeed."""
    if len(content) > MAX_IMAGE_BYTES:
        raise Refused(TOO_LARGE, "image")
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            clean = call_sandboxed(clean_photo, Path(file.name), limits=limit_probe(get_decoder_limits(), len(content)))
        except MediaError as error:
            raise Refused(str(error), "image") from error
        except DecodingInterrupted as error:
            raise Unavailable(TRY_AGAIN) from error
    return Example(hashlib.sha256(content).hexdigest(), image=_open(clean.image))


def load_frame(owner: User, scene_id: UUID, number: int) -> Example:
    """Return a frame of a scene, numbered from 1. Raise Scene.DoesNotExist for another owner's id, and Refused for an absent frame."""
    scene = Scene.objects.filter_searchable(owner.pk).get(pk=scene_id)
    keys = [key for key, _ in scene.image_keys]
    if number > len(keys):
        raise Refused(NO_FRAME.format(number=number, count=len(keys)), "frame")
    try:
        with get_media_storage().open(keys[number - 1]) as file:
            return Example(f"{scene_id} {number}", image=_open(file.read()))
    except FileNotFoundError as error:
        raise Refused(NO_FILE, "frame") from error


def _open(jpeg: bytes) -> "Image":
    """Open an image that this service has encoded."""
    from PIL import Image

    return Image.open(io.BytesIO(jpeg)).convert("RGB")
