"""Stage `validate`: the file is the one that was announced."""

import hashlib

from videos.ingest.errors import IngestError
from videos.ingest.stage import StageContext
from videos.models import Video

_CHUNK = 1024 * 1024


def run(context: StageContext) -> None:
    """Compare the size with the announced one and record the file's SHA-256; IngestError `wrong_size` when they differ."""
    video = context.video
    size = context.source.path.stat().st_size
    if size != video.size_bytes:
        raise IngestError("wrong_size", f"The stored file has {size} bytes instead of {video.size_bytes}. Upload it again.")
    checksum = hashlib.sha256()
    read = 0
    with context.source.path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checksum.update(chunk)
            read += len(chunk)
            context.progress(read / size)
    with context.writing():
        Video.objects.filter(pk=video.pk).update(checksum=checksum.hexdigest())
