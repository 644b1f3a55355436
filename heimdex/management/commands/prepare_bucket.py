"""`manage.py prepare_bucket`: create and configure the bucket of an installation on S3."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heimdex.storage import StorageError, get_media_storage
from heimdex.storage.s3 import S3MediaStorage


class Command(BaseCommand):
    help = (
        "Create the S3 bucket if it is missing, and allow uploads from this site's pages. "
        "Exit codes: 0 done, 1 S3 failed, 2 wrong configuration."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        storage = get_media_storage()
        if not isinstance(storage, S3MediaStorage):
            raise CommandError("Files are stored locally. Set HEIMDEX_STORAGE=s3 and the HEIMDEX_S3_… variables first.", returncode=2)
        site = urlsplit(settings.ENVIRONMENT.public_url)
        if not site.netloc:
            raise CommandError("Set HEIMDEX_PUBLIC_URL to this site's URL: browsers may upload files only from its pages.", returncode=2)
        try:
            storage.prepare(f"{site.scheme}://{site.netloc}")
        except StorageError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The bucket {storage.bucket} is ready for {site.scheme}://{site.netloc}.")
