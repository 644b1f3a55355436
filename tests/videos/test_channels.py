"""Search, edits and plans know the channels that steps declare, and no others."""

import pytest

from tests.library import get_stored_hash, make_user, make_video
from videos import channels
from videos.channels import (
    FIND_FACES,
    KEYFRAME,
    KEYFRAMES,
    ON_SCREEN_TEXT,
    SUMMARY,
    TRANSCRIPT,
    VISUAL_TEXT,
    Channel,
    find_channel,
    get_channel,
    list_channels_reading,
    list_text_channels,
    register_channels,
)
from videos.input_hashes import load_hashes, refresh_input_hashes, store_hashes
from videos.models import Scene, SceneInput


def test_channels_are_evidence_of_speech_images_writing_or_people() -> None:
    names = ("lexical", "shown_words", "on_screen", "person", "transcript", "clip", "visual", "summary")
    assert [get_channel(name).evidence for name in names] == ["said", "seen", "onscreen", "people", "said", "seen", "seen", "video"]
    assert [name for name in names if get_channel(name).has_context] == ["lexical", "transcript"]


def test_faces_are_not_compared_with_text() -> None:
    assert {"clip", "summary", "transcript", "visual"} <= set(list_text_channels())
    assert not {"person", "person_photo", "person_query", "lexical", "on_screen"} & set(list_text_channels())


@pytest.mark.parametrize(
    ("source", "affected"),
    [
        (TRANSCRIPT, ["transcript"]),
        (SUMMARY, ["summary"]),
        (VISUAL_TEXT, ["visual"]),
        (ON_SCREEN_TEXT, ["visual"]),
        (KEYFRAME, ["clip"]),
        (KEYFRAMES, ["person"]),
        (FIND_FACES, ["person"]),
    ],
)
def test_a_changed_source_affects_the_channels_that_read_it(source: channels.Source, affected: list[str]) -> None:
    declared = ("transcript", "visual", "summary", "clip", "person")
    assert [name for name in list_channels_reading(source) if name in declared] == affected


def test_a_channel_has_defaults_and_one_of_a_step_that_is_gone_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_channels", dict(channels._channels))
    register_channels([Channel("dominant_colors")])
    declared = get_channel("dominant_colors")
    assert (declared.display_label, declared.evidence, declared.searched_by_text) == ("dominant colors", "seen", True)
    assert "dominant_colors" in list_text_channels()
    assert find_channel("gone") is None
    assert not get_channel("gone").searched_by_text


@pytest.mark.parametrize("name", ["", "two words", "x" * 41, "semi;colon"])
def test_a_name_that_no_column_can_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="channel name"):
        Channel(name)
    assert Channel("x" * 40)


@pytest.mark.django_db
def test_hashes_follow_the_sources_and_only_those_that_changed_are_written() -> None:
    video = make_video(make_user())
    scene = video.scenes.get(index=0)
    hashes = {row.channel: (row.pk, row.hash) for row in scene.inputs.all()}
    assert set(hashes) >= {"transcript", "visual", "summary", "clip", "person"}
    # Without speech there is nothing to embed, and a row records that.
    assert get_stored_hash(video.scenes.get(index=3), "transcript") == ""

    Scene.objects.filter(pk=scene.pk).update(transcript="Other words.", words=[], visual_text="Another thing.")
    refresh_input_hashes(video, SUMMARY, KEYFRAME)
    # Steps that fill other channels compose these two.
    assert get_stored_hash(scene, "clip") == hashes["clip"][1]
    refresh_input_hashes(video, KEYFRAMES)
    refresh_input_hashes(video)
    after = {row.channel: (row.pk, row.hash) for row in scene.inputs.all()}
    assert {channel for channel in after if after[channel] != hashes[channel]} == {"transcript", "visual"}
    assert {channel: pk for channel, (pk, _) in after.items()} == {channel: pk for channel, (pk, _) in hashes.items()}


@pytest.mark.django_db
def test_storing_hashes_reports_whose_input_changed() -> None:
    video = make_video(make_user())
    first, second = video.scenes.order_by("index")[:2]
    stored = load_hashes(SceneInput, ["transcript", "new"], scene__video=video)
    rows = [
        (first.pk, first.owner_id, "transcript", stored[first.pk, "transcript"]),
        (second.pk, second.owner_id, "transcript", "changed"),
        (first.pk, first.owner_id, "new", ""),
    ]
    assert store_hashes(SceneInput, rows, stored) == {second.pk}
    assert (get_stored_hash(second, "transcript"), get_stored_hash(first, "new")) == ("changed", "")
