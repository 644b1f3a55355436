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

from bench.installation import installation
from bench.workers import run_workers
from tests.fuzz.damage import damaged

KEPT = Path(__file__).resolve().parents[2] / ".cache" / "fuzz"
IN_FLIGHT = 4
PATIENCE_S = 240.0
# Of these the worker, or the process that decodes for it, died or failed in a way that nobody foresaw.
OURS = ("internal_error", "gave_up")
LOOK_AT = (*OURS, "decoder_crashed", "took_too_long", "needs_too_much_memory")


@dataclass(frozen=True)
class Sent:
    """A damaged file on its way: its number, and what it was made of."""

    number: int
    original: str
    content: bytes


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(seconds: float, seed: int) -> int:
    """Damage and ingest for so long; 0 when no worker crashed and nothing stayed on its way, else 1."""
    say(f"seed {seed}, {seconds:.0f} seconds")
    with installation(), tempfile.TemporaryDirectory() as folder:
        from heimdex.queue import UPLOADS
        from tests.fuzz.originals import originals

        good = originals(Path(folder))
        with run_workers(UPLOADS):
            return _fuzz(good, seconds, seed)


def _fuzz(good: list[Path], seconds: float, seed: int) -> int:
    from videos.models import Job, Video

    random = Random(seed)
    on_the_way: dict[UUID, Sent] = {}
    outcomes: Counter[str] = Counter()
    kept: list[Path] = []
    number = 0
    until = monotonic() + seconds
    give_up = until + PATIENCE_S
    while (monotonic() < until or on_the_way) and monotonic() < give_up:
        while monotonic() < until and len(on_the_way) < IN_FLIGHT:
            original = random.choice(good)
            content = damaged(original.read_bytes(), random)
            if content:
                number += 1
                on_the_way[_upload(original.name, content)] = Sent(number, original.name, content)
        for video in Video.objects.filter(pk__in=on_the_way).exclude(state__in=Video.PROCESSING_STATES):
            sent = on_the_way.pop(video.pk)
            outcome = video.error_code or video.state
            outcomes[outcome] += 1
            repeated = Job.objects.filter(video=video, attempts__gt=1).exists()
            if outcome in LOOK_AT or repeated:
                outcomes["a worker died or stumbled"] += repeated
                kept.append(_keep(seed, sent, outcome))
            video.delete()
        sleep(0.05)
    kept += [_keep(seed, sent, "stuck") for sent in on_the_way.values()]
    for outcome, count in outcomes.most_common():
        say(f"{count:7} {outcome}")
    say(f"{number:7} files in all; {len(on_the_way)} left in a moving state; seed {seed}")
    for path in kept:
        say(f"look at {path}")
    return 1 if on_the_way or outcomes["a worker died or stumbled"] or any(outcomes[code] for code in OURS) else 0


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
