"""R4: how long an answer takes does not tell whether another owner's video exists."""

import gc
from collections.abc import Iterator, Mapping
from statistics import median
from time import perf_counter
from uuid import uuid4

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library

ROUNDS = 5
REQUESTS = 300


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield the ratio of the median times of answers about an existing and an unknown video, the larger one first."""
    from django.test import Client
    from rest_framework_simplejwt.tokens import RefreshToken

    from heimdex.accounts.models import User

    empty_database()
    existing = [video.pk for video in make_library(10, 20, texts=True, images=False)]
    stranger = User.objects.create_user("stranger@example.org", "correct horse battery")
    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {RefreshToken.for_user(stranger).access_token}"})

    def measure(video_id: object) -> float:
        start = perf_counter()
        answer = client.get(f"/v1/videos/{video_id}")
        elapsed = perf_counter() - start
        if answer.status_code != 404:
            raise RuntimeError(f"The answer has the status {answer.status_code} instead of 404")
        return elapsed

    for _ in range(ROUNDS):
        gc.collect()
        # In turn, so that both kinds meet the same load of the machine.
        pairs = [(measure(existing[number % len(existing)]), measure(uuid4())) for number in range(REQUESTS)]
        known, unknown = (median(times) for times in zip(*pairs, strict=True))
        yield {"R4": max(known, unknown) / min(known, unknown)}


GROUP = Group(
    (Goal("R4", "time until the answer 404 about another owner's video", "an unknown id", 1.05, at_least=False),),
    run_rounds,
)
