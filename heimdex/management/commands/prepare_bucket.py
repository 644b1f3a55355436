"""`manage.py prepare_bucket`: make the bucket of an installation on S3."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heimdex.storage import StorageError, media_storage
from heimdex.storage.s3 import S3Storage


class Command(BaseCommand):
    help = "Make the S3 bucket unless it is there, and allow uploads from this site's pages. Exit codes: 0 done, 1 refused, 2 not on S3."

    def handle(self, *args: Any, **options: Any) -> None:
        storage = media_storage()
        if not isinstance(storage, S3Storage):
            raise CommandError("Files lie in a local directory: set HEIMDEX_STORAGE=s3 and what belongs to it first.", returncode=2)
        site = urlsplit(settings.ENVIRONMENT.public_url)
        if not site.netloc:
            raise CommandError("Set HEIMDEX_PUBLIC_URL to this site's address: browsers may send files from its pages alone.", returncode=2)
        try:
            storage.prepare(f"{site.scheme}://{site.netloc}")
        except StorageError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The bucket {storage.options.bucket} is ready for {site.scheme}://{site.netloc}.")
