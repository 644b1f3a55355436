"""`manage.py ingest`: upload files from this machine."""

import json
import mimetypes
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from heimdex.accounts.models import User
from heimdex.errors import Refused
from heimdex.management.arguments import find_owner
from heimdex.storage import StorageError, get_media_storage
from videos.actions.uploads import UNKNOWN_TYPE, VideoUpload, complete_upload, init_upload
from videos.models import Video
from videos.status import get_video_status


class Command(BaseCommand):
    help = "Upload and ingest files. Exit codes: 0 all uploaded (with --wait: all indexed), 1 a file was rejected or failed, 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--language", default="", help="spoken language, as a code such as en or de; detected when omitted")
        parser.add_argument("--wait", action="store_true", help="wait until every video is indexed or failed")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = find_owner(options["owner"])
        rejected: dict[str, str] = {}
        videos: dict[str, Video] = {}
        for path in options["paths"]:
            try:
                videos[str(path)] = upload_file(owner, path, options["language"])
            except (Refused, StorageError, OSError) as error:
                rejected[str(path)] = f"{error.strerror}." if isinstance(error, OSError) and error.strerror else str(error)
        if options["wait"]:
            self._wait(list(videos.values()), quiet=options["json"])
        self._report(videos, rejected, as_json=options["json"])
        failed = [path for path, video in videos.items() if video.state == Video.State.FAILED]
        if rejected or failed:
            raise CommandError(f"{len(rejected) + len(failed)} of {len(options['paths'])} file(s) failed; see above.")

    def _wait(self, videos: list[Video], *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True, quiet=quiet)) as bar:
            tasks = {video: bar.add_task(video.title, total=100) for video in videos}
            while any(video.state in Video.PROCESSING_STATES for video in videos):
                time.sleep(0.3)
                for video in videos:
                    video.refresh_from_db()
                    status = get_video_status(video)
                    bar.update(tasks[video], completed=status.progress, description=f"{video.title} [{status.stage or status.state}]")

    def _report(self, videos: dict[str, Video], rejected: dict[str, str], *, as_json: bool) -> None:
        if as_json:
            uploaded = [
                {"path": path, "video_id": str(video.pk), "state": video.state, "error": video.error_text} for path, video in videos.items()
            ]
            refused = [{"path": path, "video_id": None, "state": "refused", "error": error} for path, error in rejected.items()]
            self.stdout.write(json.dumps({"videos": uploaded + refused}))
            return
        for path, video in videos.items():
            self.stdout.write(f"{path}: {video.state} ({video.pk}) {video.error_text}".rstrip())
        for path, error in rejected.items():
            self.stdout.write(f"{path}: refused. {error}")


def upload_file(owner: User, path: Path, language: str = "") -> Video:
    """Upload a file. Raise Refused when it is rejected, and OSError when it cannot be read."""
    size = path.stat().st_size
    if not path.is_file():
        raise Refused("This is not a file.")
    mime_type = mimetypes.guess_type(path.name)[0] or UNKNOWN_TYPE
    with path.open("rb") as file:
        video, _ = init_upload(owner, VideoUpload(path.name[:1024], mime_type, size, language=language))
        get_media_storage().save(video.upload_key, file, mime_type)
    return complete_upload(owner, video.pk)
