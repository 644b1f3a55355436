"""Stage `validate`: check that the stored file is the uploaded one."""

import hashlib

from videos.errors import IngestErrorCode
from videos.ingest.stage import IngestError, Stage, StageContext
from videos.models import Video

_CHUNK = 1024 * 1024


def run(context: StageContext) -> None:
    """Check the file's size and record its SHA-256. Raise IngestError `wrong_size` when the size differs from that of the upload."""
    video = context.video
    size = context.source.path.stat().st_size
    if size != video.size_bytes:
        raise IngestError(IngestErrorCode.WRONG_SIZE, f"The stored file has {size} bytes instead of {video.size_bytes}. Upload it again.")
    checksum = hashlib.sha256()
    read = 0
    with context.source.path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checksum.update(chunk)
            read += len(chunk)
            context.report_progress(read / size)
    with context.transaction():
        Video.objects.filter(pk=video.pk).update(checksum=checksum.hexdigest())


STAGE = Stage("validate", order=10, label="Checking the file", run=run, weight=2)
