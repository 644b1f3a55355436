"""P1 and P2: images to rows, against the bare model and against the naive loop."""

import tempfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from bench.benchmark import Goal, Group
from bench.installation import empty_database, override_models
from bench.library import make_library
from bench.runs import delete_vectors, embed_all, queue_run, work_on_run

if TYPE_CHECKING:
    from heimdex.embedders.open_clip import OpenClipEmbedder

ROUNDS = 5
VIDEOS, SCENES = 32, 20
NAIVE_SCENES = 24
BATCH = 32
ARCHITECTURE = "ViT-B-32"

WHAT = "scene_clip with ViT-B-32 (random weights), 720p keyframes on disk to rows in Postgres"


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield scenes per second as ratios."""
    from heimdex.backends import get_image_embedder

    empty_database()
    with tempfile.TemporaryDirectory() as folder:
        weights = _save_random_weights(Path(folder))
        options = {"weights": str(weights), "architecture": ARCHITECTURE, "dimensions": 512}
        with override_models(image={"BACKEND": "heimdex.embedders.open_clip.OpenClipEmbedder", "OPTIONS": options}):
            make_library(VIDEOS, SCENES, texts=False, images=True)
            # Load the model, and write the rows without content.
            embed_all()
            model = cast("OpenClipEmbedder", get_image_embedder())
            naive_model = _load_library_model(weights)
            tensors = _prepare_batches(model)
            for _ in range(ROUNDS):
                # Half of the bare model runs before and half after, so that a machine that slows down affects both sides.
                bare_s = _time_bare_model(model, tensors[::2])
                delete_vectors("clip")
                ours = VIDEOS * SCENES / work_on_run(queue_run())
                bare = VIDEOS * SCENES / (bare_s + _time_bare_model(model, tensors[1::2]))
                delete_vectors("clip")
                naive = _measure_naive(*naive_model)
                delete_vectors("clip")
                embed_all()
                yield {"P1": ours / bare, "P2": ours / naive}


def has_amx() -> bool:
    """Return whether this processor multiplies matrices of bfloat16 in hardware (Intel AMX)."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and "amx_bf16" in cpuinfo.read_text()


def _save_random_weights(folder: Path) -> Path:
    from heimdex.embedders.torch_runtime import import_torchvision

    import_torchvision()
    import open_clip
    import torch

    torch.manual_seed(0)
    path = folder / "random.pt"
    torch.save(open_clip.create_model(ARCHITECTURE).state_dict(), path)
    return path


def _prepare_batches(model: "OpenClipEmbedder") -> list[Any]:
    """Return the model's inputs, batch by batch, in its dtype and on its device."""
    from PIL import Image

    from heimdex.storage import get_media_storage
    from videos.models import Scene

    clip = model._get_loaded()
    batches = []
    scenes = list(Scene.objects.all())
    for first in range(0, len(scenes), BATCH):
        images = []
        for scene in scenes[first : first + BATCH]:
            with get_media_storage().open(scene.keyframe_key) as file:
                images.append(model.prepare(Image.open(BytesIO(file.read()))))
        batches.append(clip.preprocessing.build_batch(images, clip.device, clip.dtype))
    return batches


def _time_bare_model(model: "OpenClipEmbedder", tensors: list[Any]) -> float:
    import torch

    clip = model._get_loaded().model
    began = perf_counter()
    with torch.inference_mode():
        for batch in tensors:
            clip.encode_image(batch).cpu()
    return perf_counter() - began


def _load_library_model(weights: Path) -> tuple[Any, Any]:
    import open_clip

    model, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE, pretrained=str(weights))
    return model.eval(), preprocess


def _measure_naive(model: Any, preprocess: Any) -> float:
    """Embed one image per call and write one row per commit, as a simple script does."""
    import torch
    from PIL import Image

    from heimdex.storage import get_media_storage
    from videos.models import EmbeddingSpace, Scene, SceneEmbedding

    space = EmbeddingSpace.objects.get(channel="clip")
    scenes = Scene.objects.order_by("pk")[:NAIVE_SCENES]
    began = perf_counter()
    for scene in scenes:
        with get_media_storage().open(scene.keyframe_key) as file:
            image = Image.open(BytesIO(file.read())).convert("RGB")
        with torch.no_grad():
            vector = model.encode_image(preprocess(image).unsqueeze(0), normalize=True)[0].numpy()
        SceneEmbedding.objects.create(
            scene=scene, space=space, owner_id=scene.owner_id, state="embedded", vector=vector, input_hash=scene.keyframe_hash
        )
    return NAIVE_SCENES / (perf_counter() - began)


GROUP = Group(
    (
        Goal("P1", WHAT, "the bare model in the same dtype, batch 32, tensors in memory", 0.90),
        # The model runs in bfloat16 there, and the naive loop in float32.
        Goal("P2", WHAT, "naive: one image, one call, one row, float32", 10.0 if has_amx() else 4.5),
    ),
    run_rounds,
)
