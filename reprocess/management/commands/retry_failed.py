"""`manage.py retry_failed`: retry failed videos and photos of all owners, or of one."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from heimdex.management.arguments import find_owner
from people.actions.photos import retry_failed_photos
from people.errors import PhotoErrorCode
from people.models import PersonPhoto
from reprocess.management.arguments import parse_time
from videos.actions.retries import (
    FailureFilter,
    RetryCounts,
    filter_failed_videos,
    list_video_error_codes,
    retry_failed_videos,
)
from videos.registry import list_stages

PHOTO = "photo"


class Command(BaseCommand):
    help = (
        "Retry failed videos, from the stage that failed, and failed photos. What cannot succeed with the same file is left out. "
        "Failures of runs: reprocess_runs retry-failed. Exit codes: 0 done, even if nothing failed; 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stage", default="", help=f"only videos that failed in this stage of the ingest; {PHOTO} for photos only")
        parser.add_argument("--since", type=parse_time, help="only what failed since this date or time, such as 2026-01-31T18:30")
        parser.add_argument("--error-code", default="", help="only this code, such as storage_failed")
        parser.add_argument("--owner", metavar="EMAIL", help="only this owner's")
        parser.add_argument("--all", action="store_true", help="also videos whose retry with the same file is not expected to succeed")
        parser.add_argument("--dry-run", action="store_true", help="show what would be retried and stop")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        stages = [stage.name for stage in list_stages()]
        stage = options["stage"]
        if stage and stage not in (*stages, PHOTO):
            raise CommandError(f"There is no stage {stage}. Use one of {', '.join([*stages, PHOTO])}.", returncode=2)
        code = options["error_code"]
        if code and code not in (known := sorted({*list_video_error_codes(), *PhotoErrorCode})):
            raise CommandError(f"There is no error code {code}. Use one of {', '.join(known)}.", returncode=2)
        owner = find_owner(options["owner"]) if options["owner"] else None
        failures = FailureFilter(stage, code, options["since"], owner.pk if owner else None)
        videos = RetryCounts({}, {})
        if stage != PHOTO:
            videos = retry_failed_videos(filter_failed_videos(failures), everything=options["all"], dry_run=options["dry_run"])
        photos, photos_left_out = 0, 0
        if stage in ("", PHOTO):
            photos, photos_left_out = retry_failed_photos(_filter_photos(failures), dry_run=options["dry_run"])
        if options["json"]:
            counts = {"videos": asdict(videos), "photos": {"retried": photos, "left_out": photos_left_out}}
            self.stdout.write(json.dumps({"dry_run": options["dry_run"], **counts}))
            return
        self._print(videos, photos, photos_left_out, "Would retry" if options["dry_run"] else "Retrying")

    def _print(self, videos: RetryCounts, photos: int, photos_left_out: int, verb: str) -> None:
        for code, number in videos.retried.items():
            self.stdout.write(f"  {number} with {code}")
        self.stdout.write(f"{verb} {videos.total} video(s) and {photos} photo(s).")
        if left_out := sum(videos.left_out.values()) + photos_left_out:
            codes = ", ".join(f"{number} with {code}" for code, number in videos.left_out.items())
            self.stdout.write(f"Left out {left_out} that cannot succeed with the same file{f' ({codes})' if codes else ''}.")


def _filter_photos(failures: FailureFilter) -> Any:
    photos = PersonPhoto.objects.filter(state=PersonPhoto.State.FAILED)
    if failures.error_code:
        photos = photos.filter(error_code=failures.error_code)
    if failures.since:
        photos = photos.filter(updated_at__gte=failures.since)
    return photos.filter(owner=failures.owner_id) if failures.owner_id else photos
