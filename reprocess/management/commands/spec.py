"""`manage.py spec`: show the embedding spec and its spaces, or record the steps' digests."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count

from reprocess.lock import write_lock
from reprocess.spec import effective_spec
from videos.models import EmbeddingSpace


class Command(BaseCommand):
    help = "Show the latest embedding spec: its version and digest, each step with its model, and every space with its number of rows."
    # The check of the lock must not keep the lock from being written.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--write-lock", action="store_true", help="record the steps' digests under the latest version in spec.lock.json"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write_lock"]:
            write_lock()
        spec = effective_spec()
        spaces = [
            {
                "channel": space.channel,
                "fingerprint": space.fingerprint,
                "model": space.embedder["model"],
                "latest": any(configured.fingerprint(channel) == space.fingerprint for configured, channel in spec.channels()),
                "rows": space.rows,
                "owners": space.owners,
            }
            for space in EmbeddingSpace.objects.annotate(rows=Count("embeddings"), owners=Count("active_for", distinct=True))
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"version": spec.version, "digest": spec.digest, "steps": spec.definition, "spaces": spaces}))
            return
        self.stdout.write(f"Spec {spec.version}, digest {spec.digest}")
        for step in spec.definition:
            self.stdout.write(
                f"  {step['name']} (code version {step['code_version']}): {step['model']['model']} {step['model']['revision']}"
            )
            for channel, fingerprint in step["fingerprints"].items():
                self.stdout.write(f"    {channel:<10} {fingerprint}")
        self.stdout.write("Spaces" if spaces else "No space is filled yet.")
        for space in spaces:
            which = "latest" if space["latest"] else "older"
            self.stdout.write(
                f"  {space['channel']:<10} {space['fingerprint'][:12]} {which}, {space['model']}: {space['rows']} rows, "
                f"active for {space['owners']} owner(s)"
            )
