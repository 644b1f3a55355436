"""`python -m tests.fuzz`: damage good files, ingest each with real workers, and keep those that broke something."""

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from time import monotonic, sleep
from uuid import UUID

from bench.installation import set_up_installation
from bench.workers import run_workers
from tests.fuzz.damage import damage_file

KEPT = Path(__file__).resolve().parents[2] / ".cache" / "fuzz"
IN_FLIGHT = 4
PATIENCE_S = 240.0
# In these cases the worker or its decoder process died or failed unexpectedly.
OURS = ("internal_error", "gave_up")
LOOK_AT = (*OURS, "decoder_crashed", "took_too_long", "needs_too_much_memory")


@dataclass(frozen=True)
class Sent:
    """A damaged file in progress: its number, its original and its bytes."""

    number: int
    original: str
    content: bytes


def write_line(line: str) -> None:
    """Print a line and flush it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(seconds: float, seed: int) -> int:
    """Damage and ingest files for `seconds`; return 0 when no worker crashed and no video got stuck, else 1."""
    write_line(f"seed {seed}, {seconds:.0f} seconds")
    with set_up_installation(), tempfile.TemporaryDirectory() as folder:
        from heimdex.queue import UPLOADS
        from tests.fuzz.originals import build_originals

        good = build_originals(Path(folder))
        with run_workers(UPLOADS):
            return _fuzz(good, seconds, seed)


def _fuzz(good: list[Path], seconds: float, seed: int) -> int:
    from videos.models import Job, Video

    random = Random(seed)
    in_progress: dict[UUID, Sent] = {}
    outcomes: Counter[str] = Counter()
    kept: list[Path] = []
    number = 0
    until = monotonic() + seconds
    give_up = until + PATIENCE_S
    while (monotonic() < until or in_progress) and monotonic() < give_up:
        while monotonic() < until and len(in_progress) < IN_FLIGHT:
            original = random.choice(good)
            content = damage_file(original.read_bytes(), random)
            if content:
                number += 1
                in_progress[_upload(original.name, content)] = Sent(number, original.name, content)
        for video in Video.objects.filter(pk__in=in_progress).exclude(state__in=Video.PROCESSING_STATES):
            sent = in_progress.pop(video.pk)
            outcome = video.error_code or video.state
            outcomes[outcome] += 1
            repeated = Job.objects.filter(video=video, attempts__gt=1).exists()
            if outcome in LOOK_AT or repeated:
                outcomes["a worker died or failed"] += repeated
                kept.append(_keep(seed, sent, outcome))
            video.delete()
        sleep(0.05)
    kept += [_keep(seed, sent, "stuck") for sent in in_progress.values()]
    for outcome, count in outcomes.most_common():
        write_line(f"{count:7} {outcome}")
    write_line(f"{number:7} files in all; {len(in_progress)} still in progress; seed {seed}")
    for path in kept:
        write_line(f"look at {path}")
    return 1 if in_progress or outcomes["a worker died or failed"] or any(outcomes[code] for code in OURS) else 0


def _upload(name: str, content: bytes) -> UUID:
    from heimdex.accounts.models import User
    from heimdex.storage import get_media_storage
    from videos.actions.uploads import VideoUpload, complete_upload, init_upload

    owner, _ = User.objects.get_or_create(email="fuzz@example.org")
    video, _ = init_upload(owner, VideoUpload(name, "video/mp4", len(content)))
    get_media_storage().save(video.upload_key, content, "video/mp4")
    complete_upload(owner, video.pk)
    return video.pk


def _keep(seed: int, sent: Sent, outcome: str) -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{seed}-{sent.number}-{outcome}-{sent.original}"
    path.write_bytes(sent.content)
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    sys.exit(main(arguments.seconds, seed))
