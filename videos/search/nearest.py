"""Find the nearest vectors of a space: compare an owner's vectors one by one or, where they are many, first their codes."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from pgvector import HalfVector
from pgvector.django import CosineDistance

from heimdex.database.any_of import IsAnyOf
from heimdex.embedders.vectors import Vectors
from videos.channels import get_channel
from videos.models import EmbeddingSpace, PackedSpace, Scene, SceneEmbedding, SceneInput
from videos.search.context import ScenePlace
from videos.search.packed_vectors import RowIds, load_codes, select_embedded
from videos.search.vector_codes import EncodedVectors, rank_codes

# Vectors with the best codes, which are compared themselves. recall@10 of queries unlike the library is .985 with half of them, .992 with
# these (`python -m bench L3`).
RESCORED = 2000
# So many vectors are compared for each that is asked for: codes are not exact.
RESCORED_PER_RESULT = 5
# So many nearest vectors are checked per scene that is asked for: some are outdated, or of videos that are not indexed.
SPARE = 2
# Where conditions hold for few scenes, so many times as many are compared, and again where too few are left.
WIDENING = 8
# The vectors of so few selected scenes are compared one by one.
MAX_SELECTED = 10_000
# So many vectors without a code are looked up by their order: about twice as many as a packing leaves.
MAX_UNPACKED = 10_000

# A scene, its video, and the cosine similarity to the query.
NearScene = tuple[UUID, UUID, float]


class RankedVectors(NamedTuple):
    """The scenes of the nearest vectors with their cosine similarities, nearest first, and whether the space has no others."""

    scenes: list[tuple[UUID, float]]
    is_complete: bool


@dataclass(frozen=True)
class NearestVectors:
    """The vectors of an owner in a space that are nearest to a query, shape (dimensions,).

    `is_restricted` means that `scenes` are only some of the owner's scenes. `packed` are the codes of the vectors, if they are many.
    """

    owner_id: UUID
    scenes: QuerySet[Scene]
    space: EmbeddingSpace
    query: Vectors
    is_restricted: bool = False
    packed: PackedSpace | None = None

    def find(self, limit: int, ranked: RankedVectors | None = None) -> list[NearScene]:
        """Return the nearest `limit` of the scenes, nearest first. Equal ones of a video are in order of time.

        `ranked` are the first SPARE times as many vectors, of which too few may be found.
        """
        count = SPARE * limit * (WIDENING if ranked else 1)
        while True:
            ranked = self.rank(count)
            checked = check_scenes(self.scenes, self.owner_id, [self.space], [scene_id for scene_id, _ in ranked.scenes])
            near = checked.keep(self.space, ranked, limit)
            if len(near) == limit or ranked.is_complete:
                return near
            count *= WIDENING

    def rank(self, count: int) -> RankedVectors:
        """Return the nearest vectors. Conditions on scenes may not hold for all of them.

        To look up the scene of each vector costs more than to compare it, so `check_scenes` does that for the nearest only.
        """
        codes = self._load_codes()
        if not self.packed or not codes:
            scenes = self._compare(self._rows, count)
            return RankedVectors(scenes, len(scenes) < count)
        compared = max(RESCORED, RESCORED_PER_RESULT * count) * (WIDENING if self.is_restricted else 1)
        row_ids, blocks = codes
        # In the order of the index, so that it reads each page once.
        nearest = np.sort(row_ids[rank_codes(blocks, self.query, compared)])
        scenes = self._compare(self._rows.filter(IsAnyOf("pk", nearest), pk__lte=self.packed.packed_to), count)
        # A vector that was replaced between the two statements is in both.
        similarities = dict([*scenes, *self._compare(self._select_unpacked(self.packed), count)])
        scenes = sorted(similarities.items(), key=lambda scene: -scene[1])[:count]
        return RankedVectors(scenes, compared >= len(row_ids) and len(scenes) < count)

    @cached_property
    def _rows(self) -> QuerySet[SceneEmbedding]:
        rows = select_embedded(self.owner_id, self.space.pk)
        return rows.filter(scene__in=self.scenes) if self.is_restricted else rows

    def _load_codes(self) -> tuple[RowIds, list[EncodedVectors]] | None:
        if not self.packed or (self.is_restricted and self.scenes.order_by()[: MAX_SELECTED + 1].count() <= MAX_SELECTED):
            return None
        codes = load_codes(self.packed, self.space)
        # Those that have just been replaced are gone.
        return codes if codes[1] and len(codes[0]) >= self.packed.count else None

    def _select_unpacked(self, packed: PackedSpace) -> QuerySet[SceneEmbedding]:
        """Return the vectors without a code."""
        # The first rows in the order of the index of owner, space and id are read from it alone, however many the database expects. With
        # their state as a condition, it reads the rows of all owners instead.
        later = SceneEmbedding.objects.filter(owner_id=self.owner_id, space=self.space, pk__gt=packed.packed_to)
        first = later.order_by("pk").values("pk")[:MAX_UNPACKED]
        return self._rows.filter(pk__gt=packed.packed_to) if first.count() == MAX_UNPACKED else self._rows.filter(pk__in=first)

    def _compare(self, rows: QuerySet[SceneEmbedding], count: int) -> list[tuple[UUID, float]]:
        nearest = rows.annotate(distance=CosineDistance("vector", HalfVector(self.query))).order_by("distance", "pk")
        return [(scene_id, 1.0 - distance) for scene_id, distance in nearest.values_list("scene_id", "distance")[:count]]


@dataclass(frozen=True)
class CheckedScenes:
    """The places of scenes that a search may answer with, and those with an outdated vector, by space."""

    places: dict[UUID, ScenePlace]
    outdated: dict[UUID, set[UUID]]

    def keep(self, space: EmbeddingSpace, ranked: RankedVectors, limit: int) -> list[NearScene]:
        """Return the nearest of the ranked scenes that may be found by their vectors in a space."""
        outdated = self.outdated[space.pk]
        kept = [(-similarity, self.places[key]) for key, similarity in ranked.scenes if key in self.places and key not in outdated]
        kept.sort(key=lambda pair: (pair[0], pair[1].video_id, pair[1].index))
        return [(place.scene_id, place.video_id, -negative) for negative, place in kept[:limit]]


def check_scenes(scenes: QuerySet[Scene], owner_id: UUID, spaces: Collection[EmbeddingSpace], scene_ids: Collection[UUID]) -> CheckedScenes:
    """Return which of some scenes are among the `scenes`, and which vectors of theirs are outdated."""
    rows = scenes.filter(IsAnyOf("pk", scene_ids)).order_by().values_list("pk", "video_id", "index")
    return CheckedScenes({row[0]: ScenePlace(*row) for row in rows}, find_outdated(owner_id, spaces, scene_ids))


def find_outdated(owner_id: UUID, spaces: Collection[EmbeddingSpace], scene_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return by space which scenes have another input than their vectors, which were computed before an edit.

    Only edits of a channel's own sources count. Hashes alone are not enough: a step that composes texts in another way changes the hash
    of every scene.
    """
    outdated: dict[UUID, set[UUID]] = {space.pk: set() for space in spaces}
    for space in spaces:
        edits = [source.edited_at for source in get_channel(space.channel).sources if source.edited_at]
        # Most owners have never edited, which an index of edited scenes tells at once.
        if any(Scene.objects.filter(owner_id=owner_id, **{f"{edited_at}__isnull": False}).exists() for edited_at in edits):
            is_later = reduce(or_, (Q(**{f"scene__{edited_at}__gt": F("computed_at")}) for edited_at in edits))
            current = SceneInput.objects.filter(scene=OuterRef("scene"), channel=space.channel, hash=OuterRef("input_hash"))
            rows = SceneEmbedding.objects.filter(is_later, ~Exists(current), IsAnyOf("scene_id", scene_ids), space=space)
            outdated[space.pk].update(rows.values_list("scene_id", flat=True))
    return outdated


def measure_similarities(spaces: Collection[EmbeddingSpace], query: Vectors, scene_ids: Collection[UUID]) -> dict[UUID, dict[UUID, float]]:
    """Return the cosine similarities of scenes to a query, shape (dimensions,), by space: of those that have a vector there."""
    similarities: dict[UUID, dict[UUID, float]] = {space.pk: {} for space in spaces}
    rows = SceneEmbedding.objects.filter(IsAnyOf("scene_id", scene_ids), space__in=spaces, state=SceneEmbedding.State.EMBEDDED)
    distances = rows.annotate(distance=CosineDistance("vector", HalfVector(query))).values_list("space_id", "scene_id", "distance")
    for space_id, scene_id, distance in distances:
        similarities[space_id][scene_id] = 1.0 - distance
    return similarities
