"""P4: texts over OpenAI's protocol, where latency dominates, against the naive loop."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.benchmark import Goal, Group
from bench.installation import empty_database, override_models
from bench.library import make_library
from bench.runs import delete_vectors, embed_all, queue_run, work_on_run
from bench.text import CHANNELS, measure_naive

ROUNDS = 5
VIDEOS, SCENES = 40, 40
LATENCY_S = 0.1
DIMENSIONS = 1536


@contextmanager
def run_server(latency_s: float, dimensions: int) -> Iterator[str]:
    """Run the slow server in a separate process and yield its URL."""
    command = [sys.executable, "-m", "bench.embedding_server", str(latency_s), str(dimensions)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield rows per second as ratios."""
    import openai

    with run_server(LATENCY_S, DIMENSIONS) as url:
        options = {"model": "text-embedding-3-small", "dimensions": DIMENSIONS, "base_url": url}
        with override_models(text={"BACKEND": "heimdex.embedders.openai.OpenAIEmbedder", "OPTIONS": options}):
            empty_database()
            make_library(VIDEOS, SCENES, texts=True, images=False)
            embed_all()
            client = openai.OpenAI(base_url=url, api_key="none")

            def embed(text: str) -> list[float]:
                return client.embeddings.create(model="text-embedding-3-small", input=text, dimensions=DIMENSIONS).data[0].embedding

            for _ in range(ROUNDS):
                delete_vectors(*CHANNELS)
                ours = VIDEOS * SCENES * len(CHANNELS) / work_on_run(queue_run())
                delete_vectors(*CHANNELS)
                # All lengths cost the same here, so a few scenes do.
                yield {"P4": ours / measure_naive(embed, 1, 15)}


GROUP = Group(
    (
        Goal(
            "P4",
            "scene_text over OpenAI's protocol, 100 ms latency per call, 1536 dimensions",
            "naive: one text, one call, one row (a video's summary once)",
            150.0,
        ),
    ),
    run_rounds,
)
