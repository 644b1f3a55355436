"""Create owners whose search reads the first model's vectors, and search as they do."""

from contextlib import AbstractContextManager

from django.db import transaction
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.cutover import activate_first
from reprocess.runs.engine import embed_videos
from reprocess.spec import get_effective_spec
from tests.acceptance.crashes.models import build_backends
from tests.heimdex.embedders.openai_server import EmbeddingServer
from tests.library import make_video
from videos.input_hashes import refresh_input_hashes
from videos.models import Scene, Video
from videos.search.lexical.handler import get_lexical_backend
from videos.search.service import SearchRequest, search

FIRST, SECOND, THIRD = "first-model", "second-model", "third-model"
QUERY = "boats"
# Inputs of the library below: three transcripts, four visual texts and two summaries.
INPUTS = 9

# A scene with its matches: channel, rank, and score to five digits.
Answer = list[tuple[str, tuple[tuple[str, int, float], ...]]]


class NullLease:
    """A lease that never expires, for a process that has a video to itself."""

    def report_progress(self, fraction: float) -> None:
        pass

    def transaction(self) -> AbstractContextManager[None]:
        return transaction.atomic()


def make_film(owner: User, word: str, title: str = "A film", scenes: int = 2) -> Video:
    """Create an indexed video with unique texts that contain the word; the last scene of a film called Silent has no speech."""
    sayings = [f"{word} {title} {place}: they sailed over the cold northern sea. " * 4 for place in range(scenes)]
    if title == "Silent":
        sayings[-1] = ""
    video = make_video(owner, sayings, title=title)
    Video.objects.filter(pk=video.pk).update(summary=f"{word} {title} in short")
    for scene in video.scenes.all():
        Scene.objects.filter(pk=scene.pk).update(visual_text=f"{word} {title} {scene.index} is seen")
    video.refresh_from_db()
    refresh_input_hashes(video)
    get_lexical_backend().index(video.list_scene_ids())
    return video


def embed_directly(videos: list[Video]) -> None:
    """Embed videos of one owner with the configured models in this process, as their ingest would."""
    embed_videos(videos, get_effective_spec(), NullLease(), lambda batch: None)
    activate_first(videos[0].owner_id, get_effective_spec())


def make_library(settings: Settings, server: EmbeddingServer, word: str) -> User:
    """Create an owner with two films whose search reads the first model's vectors."""
    # Without a password, because nobody logs in and hashing is slow.
    owner = User.objects.create_user(f"{word}@example.org", None)
    films = [make_film(owner, word), make_film(owner, word, title="Silent")]
    configure_models(settings, server, FIRST)
    embed_directly(films)
    configure_models(settings, server, SECOND)
    return owner


def configure_models(settings: Settings, server: EmbeddingServer, model: str, faces: str = "") -> None:
    """Configure this process with these models."""
    settings.MODEL_BACKENDS = build_backends(server, model, faces)


def search_answer(owner: User) -> Answer:
    """Return the scenes that the owner finds, with channel, rank and score."""
    results = search(owner, SearchRequest(QUERY))
    return [(str(hit.scene.pk), tuple((match.channel, match.rank, round(match.score, 5)) for match in hit.matches)) for hit in results.hits]
