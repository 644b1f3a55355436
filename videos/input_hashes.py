"""Keep the stored hash of every scene's inputs equal to what its channels would embed now."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from videos.channels import Source, list_channels_reading
from videos.models import Scene, SceneInput, Video
from videos.models.embedding import InputHash

_BATCH = 2000

# Hashes by target id and channel.
Hashes: TypeAlias = dict[tuple[UUID, str], str]


@dataclass(frozen=True)
class SceneContent:
    """What one channel would embed for one scene: a text, or the storage keys of images; an empty hash means nothing."""

    hash: str
    source: str | tuple[str, ...]


class SceneComposer(Protocol):
    """Composes the inputs of some channels; steps implement it."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the names of the channels."""

    def compose_inputs(self, video_id: UUID) -> Iterator[tuple[Scene, Mapping[str, SceneContent]]]:
        """Yield every scene of a video with the content of each channel."""


_composers: dict[tuple[str, ...], SceneComposer] = {}


def register_composer(composer: SceneComposer) -> None:
    """Have `refresh_input_hashes` hash the inputs of the composer's channels."""
    _composers[composer.channels] = composer


def refresh_input_hashes(video: Video, *changed: Source) -> set[UUID]:
    """Hash the inputs of a video's scenes again, for all channels or those that read a changed source; return the scenes that changed.

    Only hashes that differ are written, and without an affected channel nothing is read. Call it in the transaction that changes the
    sources, with the scenes locked if a worker may be embedding them.
    """
    affected = list_channels_reading(*changed)
    changed_scenes: set[UUID] = set()
    for composer in [composer for composer in _composers.values() if not changed or set(composer.channels) & set(affected)]:
        rows = (
            (scene.pk, scene.owner_id, channel, content.hash)
            for scene, contents in composer.compose_inputs(video.pk)
            for channel, content in contents.items()
        )
        changed_scenes |= store_hashes(SceneInput, rows, load_hashes(SceneInput, composer.channels, scene__video=video))
    return changed_scenes


def load_hashes(model: type[InputHash], channels: Collection[str], **lookups: Any) -> Hashes:
    """Return the stored hashes of some targets by target id and channel."""
    rows = model._default_manager.filter(channel__in=channels, **lookups).order_by()
    return {(target_id, channel): value for target_id, channel, value in rows.values_list(get_target_column(model), "channel", "hash")}


def store_hashes(model: type[InputHash], rows: Iterable[tuple[UUID, UUID, str, str]], stored: Hashes) -> set[UUID]:
    """Write rows of (target id, owner id, channel, hash) that differ from the stored hashes; return the ids of the changed targets.

    A target without a row counts as changed only if its hash is not empty.
    """
    column = get_target_column(model)
    different = [row for row in rows if stored.get((row[0], row[2])) != row[3]]
    # In one order, so that two writers cannot deadlock.
    inputs = [
        model(**{column: target_id}, owner_id=owner_id, channel=channel, hash=value)
        for target_id, owner_id, channel, value in sorted(different)
    ]
    model._default_manager.bulk_create(
        inputs, batch_size=_BATCH, update_conflicts=True, unique_fields=[column, "channel"], update_fields=["hash"]
    )
    return {target_id for target_id, _, channel, value in different if stored.get((target_id, channel), "") != value}


def get_target_column(model: type[InputHash]) -> str:
    """Return the column that refers to the target: `scene_id`, for example."""
    return f"{model.__name__.removesuffix('Input').lower()}_id"
