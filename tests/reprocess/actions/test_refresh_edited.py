"""After an edit, exactly the vectors with a changed text are computed again, in the active and the pending spaces."""

from collections.abc import Callable, Sequence
from unittest import mock

import pytest
from django.db import connection

from heimdex.accounts.models import User
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from heimdex.errors import WrongState
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import plan_run, start_run
from reprocess.runs.worker import run_worker
from reprocess.steps.scene_text import STEP as SCENE_TEXT
from tests.library import get_stored_hash, make_user, make_video
from tests.reprocess.cutover.conftest import change_model as change_model
from tests.reprocess.cutover.conftest import run
from videos.actions.transcripts import TranscriptChanged, edit_transcript
from videos.embedding_texts import hash_input
from videos.input_hashes import refresh_input_hashes
from videos.models import ActiveSpace, Scene, SceneEmbedding, Video
from videos.search.service import SearchRequest, search
from videos.summaries import extract_summary

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("packaged_models")]

LONG = "The committee discussed the budget for the new railway station at great length, and nobody could agree on a sum. " * 3
SAYINGS = [
    LONG,
    "Yes, that is so.",
    "She planted tomatoes and basil in the small garden behind the kitchen.",
    LONG.replace("station", "bridge"),
]
NEW = "A whale swam past the lighthouse at dawn, and all the fishermen stood up in their boats to see it go by. " * 3


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


@pytest.fixture
def video(owner: User) -> Video:
    """Return an embedded video of adjoining scenes. Its summary is extracted from its own words."""
    video = make_video(owner, SAYINGS)
    # Words up to the scene's end, so that the short scene after it has context.
    for scene in video.scenes.all():
        words = scene.transcript.split()
        scene.words = [
            [scene.start_s + 5 * place / len(words), scene.start_s + 5 * (place + 1) / len(words), w] for place, w in enumerate(words)
        ]
        scene.save()
    summarize(video)
    run()
    return video


def summarize(video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(summary=extract_summary(list(video.scenes.order_by("index"))))
    refresh_input_hashes(video)


def compose_texts(video: Video) -> dict[tuple[int, str], str]:
    composed = SCENE_TEXT.compose_inputs(video.pk)
    return {(scene.index, channel): str(content.source) for scene, contents in composed for channel, content in contents.items()}


def read_computed_times() -> dict[tuple[int, str], object]:
    rows = SceneEmbedding.objects.filter(space__in=ActiveSpace.objects.values("space")).select_related("scene", "space")
    return {(row.scene.index, row.space.channel): row.computed_at for row in rows}


def finish_runs() -> list[str]:
    """Finish all queued runs. Return the texts that the embedder received."""
    embedded: list[str] = []
    embed = SentenceTransformerEmbedder.embed_documents

    def count_and_embed(self: SentenceTransformerEmbedder, given: Sequence[str]) -> object:
        embedded.extend(given)
        return embed(self, given)

    with mock.patch.object(SentenceTransformerEmbedder, "embed_documents", count_and_embed):
        for queued in ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN).order_by("created_at"):
            run_worker(queued.pk)
    assert not ReprocessRun.objects.exclude(state=ReprocessRun.State.SUCCEEDED).exists()
    return embedded


def test_exactly_the_vectors_with_a_changed_text_are_computed_again(owner: User, video: Video) -> None:
    before, at_first, stored = (
        compose_texts(video),
        read_computed_times(),
        {(scene.index): scene.transcript for scene in video.scenes.all()},
    )
    edit_transcript(owner, video.pk, video.scenes.get(index=0).pk, NEW)
    after = compose_texts(video)
    changed = {key for key in after if after[key] != before[key]}
    # The scene itself, its short neighbor, and the summary that all scenes share.
    assert changed == {(0, "transcript"), (1, "transcript"), *((index, "summary") for index in range(4))}
    assert "A whale swam" in after[0, "summary"]
    causes = {channel.channel: channel.causes for channel in plan_run(Scope("all"), force=False).channels if channel.causes}
    assert causes == {"transcript": {"input changed": 2}, "summary": {"input changed": 4}}

    embedded = finish_runs()
    assert sorted(embedded) == sorted({after[key] for key in changed})
    assert {key for key, when in read_computed_times().items() if when != at_first[key]} == changed
    assert plan_run(Scope("all"), force=False).stale == 0
    assert {scene.index: scene.transcript for scene in video.scenes.exclude(index=0)} == {key: stored[key] for key in (1, 2, 3)}


def test_a_long_neighbor_and_a_summary_written_by_a_person_are_unchanged(owner: User, video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(summary="What a person has written.")
    refresh_input_hashes(video)
    run()
    before = read_computed_times()
    edit_transcript(owner, video.pk, video.scenes.get(index=3).pk, NEW)
    assert len(finish_runs()) == 2  # scene 3, and scene 2 whose end is short and close
    assert {key for key, when in read_computed_times().items() if when != before[key]} == {(3, "transcript"), (2, "transcript")}
    assert Video.objects.get().summary == "What a person has written."


def test_an_edited_scene_is_found_by_its_new_words_and_not_by_its_old_vector(owner: User, video: Video) -> None:
    scene = video.scenes.get(index=0)

    def find_channels(text: str) -> set[str]:
        return {match.channel for hit in search(owner, SearchRequest(text)).hits if hit.scene == scene for match in hit.matches}

    assert "transcript" in find_channels("negotiations about money")
    edit_transcript(owner, video.pk, scene.pk, NEW)
    assert "transcript" not in find_channels("negotiations about money")
    assert "lexical" in find_channels("whale")
    assert "transcript" not in find_channels("a big sea animal")
    finish_runs()
    assert "transcript" in find_channels("a big sea animal")
    # After an undone edit the existing vector is current again.
    edit_transcript(owner, video.pk, scene.pk, LONG)
    edit_transcript(owner, video.pk, scene.pk, NEW)
    assert "transcript" in find_channels("a big sea animal")
    assert finish_runs() == []


def test_edits_before_a_run_begins_share_it_and_it_names_the_owner(owner: User, video: Video) -> None:
    scene = video.scenes.get(index=0)
    edit_transcript(owner, video.pk, scene.pk, NEW)
    edit_transcript(owner, video.pk, scene.pk, f"{NEW} Once more.")
    edit_run = ReprocessRun.objects.get(entry_point="edit")
    assert (edit_run.scope, edit_run.video_id, edit_run.requested_by) == ("video", video.pk, owner)
    # A run that a worker has begun may have read the earlier text.
    ReprocessItem.objects.filter(run=edit_run).update(state=ReprocessItem.State.RUNNING, attempts=1)
    edit_transcript(owner, video.pk, scene.pk, NEW)
    assert ReprocessRun.objects.filter(entry_point="edit").count() == 2


def test_an_edit_during_a_model_change_is_refreshed_in_both_spaces(owner: User, video: Video, change_model: Callable[[str], None]) -> None:
    other = make_video(owner, ["Sailors repair the nets in the port."], title="Another")
    run()
    old = set(ActiveSpace.objects.values_list("space", flat=True))
    change_model("passage: ")
    scene = video.scenes.get(index=0)

    # The pending space is empty: only the active one is refreshed.
    edit_transcript(owner, video.pk, scene.pk, NEW)
    expected = compose_texts(video)
    assert set(finish_runs()) == {expected[0, "transcript"], expected[1, "transcript"], expected[0, "summary"]}
    assert set(SceneEmbedding.objects.values_list("space", flat=True)) == old

    start_run(Scope("video", video_id=video.pk), force=False, entry_point="command", requested_by=None)
    finish_runs()
    edit_transcript(owner, video.pk, scene.pk, LONG)
    expected = compose_texts(video)
    # The neighbor is unchanged, because an edited text has no word times and adds no context.
    refreshed = [expected[0, "transcript"], expected[0, "summary"]]
    assert sorted(finish_runs()) == sorted(refreshed * 2)
    for row in SceneEmbedding.objects.filter(scene__video=video, space__channel="transcript").select_related("scene"):
        assert row.input_hash == get_stored_hash(row.scene, "transcript")
    assert set(ActiveSpace.objects.values_list("space", flat=True)) == old
    assert other.scenes.get().embeddings.count() == 4


def test_an_edit_while_a_worker_computes_the_old_text_is_refreshed_afterwards(owner: User, video: Video) -> None:
    embed = SentenceTransformerEmbedder.embed_documents
    scene = video.scenes.get(index=0)
    edited: list[object] = []

    def edit_first(self: SentenceTransformerEmbedder, given: Sequence[str]) -> object:
        if not edited:
            edited.append(edit_transcript(owner, video.pk, scene.pk, NEW))
            # This runs on the thread that computes.
            connection.close()
        return embed(self, given)

    forced = start_run(Scope("all"), force=True, entry_point="command", requested_by=None)
    with mock.patch.object(SentenceTransformerEmbedder, "embed_documents", edit_first):
        run_worker(forced.pk)
    assert SceneEmbedding.objects.get(scene=scene, space__channel="transcript").input_hash != get_stored_hash(scene, "transcript")
    finish_runs()
    assert plan_run(Scope("all"), force=False).stale == 0
    for row in SceneEmbedding.objects.filter(scene__video=video).select_related("scene", "space"):
        assert row.input_hash == get_stored_hash(row.scene, row.space.channel)
    assert {place: hash_input(text) for place, text in compose_texts(video).items()} == {
        (scene.index, channel): get_stored_hash(scene, channel)
        for scene in video.scenes.all()
        for channel in ("transcript", "visual", "summary")
    }


def test_an_edit_of_an_outdated_text_and_an_edit_in_the_wrong_state_are_refused(owner: User, video: Video) -> None:
    scene = video.scenes.get(index=0)
    seen = scene.transcript_version
    edited = edit_transcript(owner, video.pk, scene.pk, f"  {NEW}\n", version=seen)
    assert edited.transcript == NEW.strip()
    assert edited.transcript_edited_at is not None
    with pytest.raises(TranscriptChanged) as outdated:
        edit_transcript(owner, video.pk, scene.pk, "Mine instead.", version=seen)
    assert outdated.value.scene.transcript == NEW.strip()
    assert edit_transcript(owner, video.pk, scene.pk, "", version=edited.transcript_version).words == []
    with pytest.raises(Scene.DoesNotExist):
        edit_transcript(owner, video.pk, video.pk, "text")
    with pytest.raises(Video.DoesNotExist):
        edit_transcript(make_user("other@example.org"), video.pk, scene.pk, "text")
    Video.objects.update(state=Video.State.PROCESSING)
    with pytest.raises(WrongState, match="once the video is ready"):
        edit_transcript(owner, video.pk, scene.pk, "text")
