"""P4: texts over OpenAI's protocol, where waiting is what costs, against the naive loop."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.benchmark import Goal, Group
from bench.installation import empty_database, models
from bench.library import make_library
from bench.runs import embed_all, forget, start, work_on
from bench.text import CHANNELS, naive

ROUNDS = 5
VIDEOS, SCENES = 40, 40
LATENCY_S = 0.1
DIMENSIONS = 1536


@contextmanager
def server(latency_s: float, dimensions: int) -> Iterator[str]:
    """Run the slow server as a process of its own and give its address."""
    command = [sys.executable, "-m", "bench.embedding_server", str(latency_s), str(dimensions)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


def rounds() -> Iterator[Mapping[str, float]]:
    """Yield rows per second as ratios."""
    import openai

    with server(LATENCY_S, DIMENSIONS) as url:
        options = {"model": "text-embedding-3-small", "dimensions": DIMENSIONS, "base_url": url}
        with models(text={"BACKEND": "heimdex.embedders.openai.OpenAIEmbedder", "OPTIONS": options}):
            empty_database()
            make_library(VIDEOS, SCENES, texts=True, pictures=False)
            embed_all()
            client = openai.OpenAI(base_url=url, api_key="none")

            def embed(text: str) -> list[float]:
                return client.embeddings.create(model="text-embedding-3-small", input=text, dimensions=DIMENSIONS).data[0].embedding

            for _ in range(ROUNDS):
                forget(*CHANNELS)
                ours = VIDEOS * SCENES * len(CHANNELS) / work_on(start())
                forget(*CHANNELS)
                # All lengths cost the same here, so a few scenes do.
                yield {"P4": ours / naive(embed, 1, 15)}


GROUP = Group(
    (
        Goal(
            "P4",
            "scene_text over OpenAI's protocol, 100 ms latency per call, 1536 dimensions",
            "naive: one text, one call, one row (a video's summary once)",
            50.0,
        ),
    ),
    rounds,
)
