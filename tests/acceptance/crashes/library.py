"""Owners whose search reads the first model's vectors, and what they find."""

from contextlib import AbstractContextManager

from django.db import transaction
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.cutover import activate_first
from reprocess.runs.engine import embed_videos
from reprocess.spec import get_effective_spec
from tests.acceptance.crashes.models import backends
from tests.heimdex.embedders.openai_server import EmbeddingServer
from tests.library import make_video
from videos.input_hashes import refresh_input_hashes
from videos.models import Scene, Video
from videos.search.service import SearchRequest, search

FIRST, SECOND, THIRD = "first-model", "second-model", "third-model"
QUERY = "boats"
# Of an owner's library below: three said texts, four seen ones and two summaries.
INPUTS = 9

# A scene, and why it is in the answer: channel, rank, and score to five digits.
Answer = list[tuple[str, tuple[tuple[str, int, float], ...]]]


class Alone:
    """The right to work of somebody who is alone with a video."""

    def progress(self, fraction: float) -> None:
        pass

    def transaction(self) -> AbstractContextManager[None]:
        return transaction.atomic()


def make_film(owner: User, word: str, title: str = "A film", scenes: int = 2) -> Video:
    """Create an indexed video whose every text is its own and holds the word; the last scene of a film called Silent has no speech."""
    said = [f"{word} {title} {place}: they sailed over the cold northern sea. " * 4 for place in range(scenes)]
    if title == "Silent":
        said[-1] = ""
    video = make_video(owner, said, title=title)
    Video.objects.filter(pk=video.pk).update(summary=f"{word} {title} in short")
    for scene in video.scenes.all():
        Scene.objects.filter(pk=scene.pk).update(visual_text=f"{word} {title} {scene.index} is seen")
    video.refresh_from_db()
    refresh_input_hashes(video)
    return video


def embed_now(videos: list[Video]) -> None:
    """Bring videos of one owner to the configured models in this process, as their ingest would have."""
    embed_videos(videos, get_effective_spec(), Alone(), lambda batch: None)
    activate_first(videos[0].owner_id, get_effective_spec())


def make_library(settings: Settings, server: EmbeddingServer, word: str) -> User:
    """Create an owner of two films, whose search reads the first model's vectors."""
    # Without a password: nobody logs in, and hashing takes long.
    owner = User.objects.create_user(f"{word}@example.org", None)
    films = [make_film(owner, word), make_film(owner, word, title="Silent")]
    with_models(settings, server, FIRST)
    embed_now(films)
    with_models(settings, server, SECOND)
    return owner


def with_models(settings: Settings, server: EmbeddingServer, model: str, faces: str = "") -> None:
    """Configure this process as an installation with these models is."""
    settings.MODEL_BACKENDS = backends(server, model, faces)


def answer(owner: User) -> Answer:
    """Return what the owner finds, and why: channel, rank and score."""
    found = search(owner, SearchRequest(QUERY))
    return [(str(hit.scene.pk), tuple((match.channel, match.rank, round(match.score, 5)) for match in hit.matches)) for hit in found.hits]
