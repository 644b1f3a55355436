"""`manage.py ingest`: take files of this machine the way an upload goes."""

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
from heimdex.storage import StorageError, media_storage
from videos.actions.complete_upload import complete_upload
from videos.actions.errors import Refused
from videos.actions.init_upload import UNKNOWN_TYPE, Announcement, init_upload
from videos.api.serializers import VideoStatusSerializer
from videos.models import Video


class Command(BaseCommand):
    help = "Upload and ingest files. Exit codes: 0 all taken (with --wait: all indexed), 1 one was refused or failed, 2 wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--language", default="", help="of the speech, as a code such as en or de; found out when left out")
        parser.add_argument("--wait", action="store_true", help="wait until every video is indexed or failed")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(email__iexact=options["owner"].strip()).first()
        if owner is None:
            raise CommandError(f"There is no owner {options['owner']}.")
        refused: dict[str, str] = {}
        videos: dict[str, Video] = {}
        for path in options["paths"]:
            try:
                videos[str(path)] = take(owner, path, options["language"])
            except (Refused, StorageError, OSError) as error:
                refused[str(path)] = f"{error.strerror}." if isinstance(error, OSError) and error.strerror else str(error)
        if options["wait"]:
            self._wait(list(videos.values()), quiet=options["json"])
        self._report(videos, refused, as_json=options["json"])
        failed = [path for path, video in videos.items() if video.state == Video.State.FAILED]
        if refused or failed:
            raise CommandError(f"{len(refused) + len(failed)} of {len(options['paths'])} file(s) were not taken; see above.")

    def _wait(self, videos: list[Video], *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True, quiet=quiet)) as bar:
            tasks = {video: bar.add_task(video.title, total=100) for video in videos}
            while any(video.state in Video.MOVING for video in videos):
                time.sleep(0.3)
                for video in videos:
                    video.refresh_from_db()
                    shown = VideoStatusSerializer(video).data
                    bar.update(tasks[video], completed=shown["progress"], description=f"{video.title} [{shown['stage'] or video.state}]")

    def _report(self, videos: dict[str, Video], refused: dict[str, str], *, as_json: bool) -> None:
        if as_json:
            taken = [
                {"path": path, "video_id": str(video.pk), "state": video.state, "error": video.error_text} for path, video in videos.items()
            ]
            lost = [{"path": path, "video_id": None, "state": "refused", "error": error} for path, error in refused.items()]
            self.stdout.write(json.dumps({"videos": taken + lost}))
            return
        for path, video in videos.items():
            self.stdout.write(f"{path}: {video.state} ({video.pk}) {video.error_text}".rstrip())
        for path, error in refused.items():
            self.stdout.write(f"{path}: refused. {error}")


def take(owner: User, path: Path, language: str = "") -> Video:
    """Announce, store and complete one file; Refused says why it is not taken, OSError that it cannot be read."""
    size = path.stat().st_size
    if not path.is_file():
        raise Refused("This is no file.")
    mime_type = mimetypes.guess_type(path.name)[0] or UNKNOWN_TYPE
    with path.open("rb") as file:
        video, _ = init_upload(owner, Announcement(path.name[:1024], mime_type, size, language=language))
        media_storage().save(video.upload_key, file, mime_type)
    return complete_upload(owner, video.pk)
