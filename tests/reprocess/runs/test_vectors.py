"""Outcomes of the engine are written as rows and replace earlier rows."""

from datetime import UTC, datetime
from unittest import mock
from uuid import uuid4

import numpy as np
import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from reprocess.planning.targets import SCENES
from reprocess.runs.pg_copy import copy_rows, encode_halfvecs, encode_time, encode_uuid
from reprocess.runs.vectors import COPIED, replace_embeddings
from reprocess.spec import get_effective_spec
from reprocess.steps.embedding_task import EmbeddingTask, Outcome
from tests.library import get_stored_hash, make_user, make_video
from videos.models import EmbeddingSpace, Scene, SceneEmbedding, SceneInput

pytestmark = pytest.mark.django_db

TEXT_CHANNELS = ("transcript", "visual", "summary")


def make_text_spaces() -> dict[str, EmbeddingSpace]:
    return {
        channel: configured.ensure_space(channel)
        for configured, channel in get_effective_spec().list_channels(SCENES)
        if channel in TEXT_CHANNELS
    }


def make_vector(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=384).astype(np.float32)
    return vector / np.linalg.norm(vector)


def make_outcome(scene: Scene, channel: str, **result: object) -> Outcome:
    current = get_stored_hash(scene, channel)
    return Outcome(scene, EmbeddingTask(scene.pk, scene.owner_id, channel, current, current, "text"), **result)  # type: ignore[arg-type]


def test_every_column_except_the_key_is_copied() -> None:
    columns = {field.name for field in SceneEmbedding._meta.concrete_fields}
    assert columns - set(COPIED) == {"id", "scene"}


def test_vectors_empty_inputs_and_failures_of_several_channels_are_read_back() -> None:
    scenes = list(make_video(make_user()).scenes.all())
    spaces, run_id, now = make_text_spaces(), uuid4(), datetime(2026, 1, 6, 12, 30, 15, 123457, tzinfo=UTC)
    outcomes = [
        make_outcome(scenes[0], "transcript", vector=make_vector(0)),
        make_outcome(scenes[1], "transcript", error="The model refuses it."),
        make_outcome(scenes[3], "transcript"),
        make_outcome(scenes[0], "visual", vector=make_vector(1)),
    ]
    with mock.patch("django.utils.timezone.now", return_value=now), transaction.atomic():
        replace_embeddings(SCENES, outcomes, spaces, run_id)
    rows = {(row.scene_id, row.space.channel): row for row in SceneEmbedding.objects.select_related("space")}
    assert len(rows) == 4
    for row in rows.values():
        assert (row.run_id, row.computed_at, row.owner_id) == (run_id, now, scenes[0].owner_id)
    embedded = rows[scenes[0].pk, "transcript"]
    assert (embedded.state, embedded.input_hash, embedded.error) == ("embedded", get_stored_hash(scenes[0], "transcript"), "")
    assert np.array_equal(np.float16(embedded.vector), make_vector(0).astype(np.float16))
    assert np.array_equal(np.float16(rows[scenes[0].pk, "visual"].vector), make_vector(1).astype(np.float16))
    failed, empty = rows[scenes[1].pk, "transcript"], rows[scenes[3].pk, "transcript"]
    assert (failed.state, failed.error, failed.vector) == ("failed", "The model refuses it.", None)
    assert (empty.state, empty.input_hash, empty.vector) == ("empty", "", None)


def test_later_outcomes_replace_only_the_rows_of_the_same_target_and_channel() -> None:
    scenes = list(make_video(make_user()).scenes.all())
    spaces = make_text_spaces()
    with transaction.atomic():
        replace_embeddings(SCENES, [make_outcome(scene, "transcript", vector=make_vector(0)) for scene in scenes[:2]], spaces, None)
        replace_embeddings(SCENES, [make_outcome(scenes[0], "visual", vector=make_vector(1))], spaces, None)
        replace_embeddings(SCENES, [make_outcome(scenes[0], "transcript", vector=make_vector(2))], spaces, uuid4())
    kept = SceneEmbedding.objects.values_list("scene__index", "space__channel").order_by("scene__index", "space__channel")
    assert list(kept) == [(0, "transcript"), (0, "visual"), (1, "transcript")]
    first = SceneEmbedding.objects.get(scene=scenes[0], space=spaces["transcript"])
    assert np.array_equal(np.float16(first.vector), make_vector(2).astype(np.float16))
    assert first.run_id is not None


def test_an_outcome_of_a_changed_input_is_not_written_and_the_new_hash_is_kept() -> None:
    first, second = make_video(make_user(), ["A word.", "Another."]).scenes.all()
    before = get_stored_hash(second, "transcript")
    work = EmbeddingTask(second.pk, second.owner_id, "transcript", "composed in a new way", before, "text")
    outdated, unchanged = make_outcome(first, "transcript", vector=make_vector(0)), make_outcome(first, "visual", vector=make_vector(1))
    SceneInput.objects.filter(scene=first, channel="transcript").update(hash="of the new text")
    with transaction.atomic():
        replace_embeddings(
            SCENES,
            [
                outdated,
                unchanged,
                Outcome(second, work, vector=make_vector(2)),
            ],
            make_text_spaces(),
            None,
        )
    assert set(SceneEmbedding.objects.values_list("scene", "space__channel")) == {(first.pk, "visual"), (second.pk, "transcript")}
    hashes = (get_stored_hash(first, "transcript"), get_stored_hash(second, "transcript"))
    assert hashes == ("of the new text", "composed in a new way")


def test_the_number_of_statements_does_not_depend_on_the_size_of_a_batch() -> None:
    scenes = list(make_video(make_user(), ["A word."] * 12).scenes.all())
    spaces = make_text_spaces()
    outcomes = [make_outcome(scene, "transcript", vector=make_vector(0)) for scene in scenes]
    statements = []
    for number in (2, 12):
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            replace_embeddings(SCENES, outcomes[:number], spaces, None)
        statements.append(len(queries))
    assert statements[0] == statements[1] <= 5


def test_database_errors_during_copy_become_django_errors() -> None:
    scene = make_video(make_user()).scenes.all()[0]
    space = make_text_spaces()["transcript"]
    [vector] = encode_halfvecs([make_vector(0)])
    row = (
        encode_uuid(scene.pk),
        encode_uuid(space.pk),
        encode_uuid(scene.owner_id),
        "embedded",
        vector,
        "",
        "",
        None,
        encode_time(datetime.now(UTC)),
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_rows(SceneEmbedding, ("scene", *COPIED), [row, row])
    with pytest.raises(Error), transaction.atomic():
        copy_rows(SceneEmbedding, ("scene", *COPIED), [(*row[:4], b"\x00", *row[5:])])
