"""A large library of the benchmarks has the owners, scenes and vectors that it is filled for, and search finds its words."""

from uuid import uuid4

import numpy as np
import pytest
from django.core.management import call_command

from bench.exact_search import find_exactly
from bench.recall import find_first, select_scenes_of
from bench.scale_database import count_scenes, is_outdated, name_library, reset_packing
from bench.scale_library import HUNDRED_THOUSAND, MILLION, fill_library, lay_out, load_library
from bench.scale_vectors import make_vectors
from bench.scale_words import make_texts
from bench.search_speed import search_completely
from videos.models import EmbeddingSpace, OwnerWord, Scene, SceneEmbedding, SceneInput, Video
from videos.search.requests import SearchRequest
from videos.search.service import search
from videos.search.vectors import list_active_spaces

SIZES = {200: 1, 60: 2}


def test_the_libraries_have_the_sizes_that_the_goals_name() -> None:
    assert count_scenes(MILLION) == pytest.approx(1_000_000, rel=0.01)
    assert count_scenes(HUNDRED_THOUSAND) == pytest.approx(100_000, rel=0.01)
    assert sum(MILLION.values()) == sum(HUNDRED_THOUSAND.values()) == 900


def test_the_videos_of_owners_are_mixed_and_their_scenes_in_a_row() -> None:
    layout = lay_out({100: [uuid4()], 50: [uuid4(), uuid4()]}, np.random.default_rng(0))
    assert np.bincount(layout.owners).tolist() == [100, 50, 50]
    for video in range(len(layout.video_ids)):
        places = np.flatnonzero(layout.videos == video)
        assert np.diff(places).tolist() == [1] * (len(places) - 1)
        assert layout.places[places].tolist() == list(range(len(places)))
        assert len(set(layout.owners[places])) == 1
    assert len({row.tobytes() for row in layout.scene_ids}) == 200


def test_vectors_of_a_video_are_nearer_to_each_other_than_to_those_of_others() -> None:
    videos = np.repeat(np.arange(40), 10)
    (vectors,) = make_vectors("transcript", 384, videos)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    similarities = vectors @ vectors.T
    is_same = (videos[:, np.newaxis] == videos) & ~np.eye(400, dtype=bool)
    assert similarities[is_same].mean() > similarities[videos[:, np.newaxis] != videos].mean() + 0.1


def list_words() -> list[tuple[str, int, int]]:
    """Return the words of the owner of 200 scenes."""
    words = OwnerWord.objects.filter(owner__email="owner-200-0@example.org").order_by("word")
    return list(words.values_list("word", "word_count", "stem_count"))


@pytest.mark.django_db(transaction=True)
def test_owners_have_the_same_words_in_libraries_of_any_size() -> None:
    fill_library({200: 1})
    words = list_words()
    assert len(words) > 1000
    call_command("flush", interactive=False, verbosity=0)
    fill_library({200: 1, 70: 3})
    assert list_words() == words


@pytest.mark.django_db(transaction=True)
def test_a_filled_library_can_be_searched_and_compared() -> None:
    fill_library(SIZES)
    library = load_library(SIZES)
    assert {size: len(owners) for size, owners in library.owners.items()} == SIZES
    (owner,) = library.owners[200]
    spaces = list_active_spaces(owner.pk)
    assert (Scene.objects.filter(owner=owner).count(), Video.objects.filter(owner=owner).count()) == (200, 5)
    assert SceneEmbedding.objects.count() == SceneInput.objects.count() == len(spaces) * 320

    word = next(make_texts())[1].split("'")[1].removeprefix("{}")
    answer = search(owner, SearchRequest(word))
    assert answer.hits
    assert not answer.notices
    search_completely(owner, word)

    selections = select_scenes_of(owner.pk)
    assert list(selections) == ["no filter", "one video", "latest half", "latest 5 %", "latest 0.5 %"]
    vector = SceneEmbedding.objects.filter(owner=owner, space=spaces[0])[0].vector
    query = np.array([vector], np.float32)
    nearest = find_exactly(owner.pk, spaces[0], query, {"all": None})["all"][0]
    assert nearest.compute_recall(find_first(owner.pk, spaces[0], query[0], selections["no filter"])) == 1.0
    assert nearest.similarities[0] == pytest.approx(1.0, abs=1e-3)

    EmbeddingSpace.objects.update(packing_checked_to=10)
    reset_packing()
    assert set(EmbeddingSpace.objects.values_list("packing_checked_to", flat=True)) == {0}


def test_a_library_with_other_content_replaces_that_of_its_size() -> None:
    name = name_library(SIZES, "a" * 64)
    assert name == "library_320_aaaaaaaaaaaa"
    assert is_outdated("library_320_bbbbbbbbbbbb", name)
    assert is_outdated("unfinished_library_320_aaaaaaaaaaaa", name)
    assert not is_outdated(name, name)
    assert not is_outdated("library_3200_bbbbbbbbbbbb", name)
    assert not is_outdated("heimdex", name)
