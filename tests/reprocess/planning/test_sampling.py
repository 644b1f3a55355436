"""Samples: judged scenes first, then every kind of scene with its share; the same scenes give the same sample."""

from collections import Counter

import pytest
from pytest_django import DjangoAssertNumQueries

from reprocess.planning.sampling import choose_places, sample_scenes
from tests.library import make_user, make_video
from videos.models import Scene, VideoMetadata


@pytest.mark.parametrize(
    ("total", "size", "places"),
    [
        (0, 5, []),
        (3, 5, [1, 2, 3]),
        (3, 3, [1, 2, 3]),
        (10, 0, []),
        (8, 1, [5]),
        (8, 2, [1, 5]),
        (100, 5, [12, 36, 51, 74, 98]),
    ],
)
def test_places_are_spread_evenly(total: int, size: int, places: list[int]) -> None:
    assert sorted(choose_places(total, size)) == places


@pytest.mark.parametrize(("total", "size"), [(1000, 999), (1000, 7), (5001, 5000), (3, 2)])
def test_places_differ_and_exist(total: int, size: int) -> None:
    places = choose_places(total, size)
    assert len(places) == len(set(places)) == size
    assert choose_places(total, size - 1) == places[:-1]
    assert 1 <= min(places) <= max(places) <= total


@pytest.mark.django_db
def test_speech_languages_and_videos_have_their_shares() -> None:
    owner = make_user()
    for title, language, scenes in (("English", "en", 40), ("German", "de", 20), ("Short", "en", 10)):
        video = make_video(owner, ["Words."] * (scenes // 2) + [""] * (scenes // 2), title=title)
        VideoMetadata.objects.create(video=video, owner=owner, language=language, duration_s=1, width=1, height=1, fps=1, rotation=0)
    sample = sample_scenes(Scene.objects.all(), [], 14)
    sampled = Scene.objects.filter(pk__in=sample.scene_ids)
    assert (sample.stale, len(sample.scene_ids)) == (70, 14)
    assert abs(sampled.exclude(transcript="").count() - 7) <= 1
    by_title = Counter(sampled.values_list("video__title", flat=True))
    assert all(abs(by_title[title] - share) <= 1 for title, share in (("English", 8), ("German", 4), ("Short", 2)))
    # A later part of each video, too.
    assert {scene.index // 10 for scene in sampled.filter(video__title="English")} == {0, 1, 2, 3}
    assert sample_scenes(Scene.objects.all(), [], 14) == sample
    assert sample_scenes(Scene.objects.all(), [], 7).scene_ids < sample.scene_ids


@pytest.mark.django_db
def test_judged_scenes_come_first_as_far_as_the_size_allows(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_video(make_user(), ["Words."] * 9)
    scenes = list(Scene.objects.order_by("index").values_list("pk", flat=True))
    judged = [scenes[8], scenes[0], scenes[1]]
    few = sample_scenes(Scene.objects.all(), judged, 2)
    assert (few.scene_ids, few.judged, few.judged_sampled) == ({scenes[8], scenes[0]}, 3, 2)
    with django_assert_num_queries(3):
        more = sample_scenes(Scene.objects.all(), judged, 5)
    assert (len(more.scene_ids), more.judged_sampled, set(judged) <= more.scene_ids) == (5, 3, True)
    # Judged scenes that are up to date are in the sample, because both sides have their vectors.
    fresh = sample_scenes(Scene.objects.exclude(pk=scenes[8]), judged[:1], 3)
    assert (scenes[8] in fresh.scene_ids, len(fresh.scene_ids), fresh.stale) == (True, 3, 8)
