"""Scenes and titles that the search for words does not know, or knows with older texts, are found and repaired."""

from collections.abc import Callable

import pytest

from heimdex.accounts.models import User
from tests.reprocess.reconcile.conftest import MINE, IssueCounts, count_issues
from videos.models import OwnerWord, Scene, SceneWords, Video, VideoWords
from videos.search.word_conditions import contains_word

pytestmark = pytest.mark.django_db


def lose_words(video: Video) -> IssueCounts:
    SceneWords.objects.filter(video=video, scene__index=0).delete()
    return {"outdated_words": 1}


def change_text(video: Video) -> IssueCounts:
    Scene.objects.filter(video=video, index=1).update(transcript="A giraffe and a boat.")
    return {"outdated_words": 1}


def change_title(video: Video) -> IssueCounts:
    Video.objects.filter(pk=video.pk).update(title="Giraffes and boats")
    return {"outdated_titles": 1}


def keep_words_of_an_older_release(video: Video) -> IssueCounts:
    VideoWords.objects.filter(video=video).update(analysis_version=0)
    SceneWords.objects.filter(video=video).update(spoken="")
    return {"outdated_titles": 1}


def never_analyze(video: Video) -> IssueCounts:
    VideoWords.objects.filter(video=video).delete()
    SceneWords.objects.filter(video=video).delete()
    return {"outdated_titles": 1, "outdated_words": 2}


@pytest.mark.parametrize("damage", [lose_words, change_text, change_title, keep_words_of_an_older_release, never_analyze])
def test_outdated_words_are_written_again_owner_by_owner(library: tuple[Video, Video], damage: Callable[[Video], IssueCounts]) -> None:
    mine, theirs = library
    expected = damage(mine)
    damage(theirs)
    assert count_but_counts() == {name: 2 * count for name, count in expected.items()}
    count_issues("--owner", MINE, "--repair")
    assert count_but_counts() == expected
    assert Scene.objects.filter(contains_word(mine.owner_id, "boat"), video=mine).exists()
    count_issues("--repair")
    assert count_issues() == {}
    assert User.objects.count() == 2


def count_but_counts() -> IssueCounts:
    """Return the issues except for words that are counted wrong, because rows were changed behind their counts."""
    return {name: count for name, count in count_issues().items() if name != "miscounted_words"}


def forget_a_word(video: Video) -> IssueCounts:
    OwnerWord.objects.filter(owner=video.owner, word="boat").delete()
    return {"miscounted_words": 1}


def leave_a_ghost(video: Video) -> IssueCounts:
    OwnerWord.objects.create(owner=video.owner, word="zeppelin", reversed="nileppez", word_count=1)
    return {"miscounted_words": 1}


def count_wrong(video: Video) -> IssueCounts:
    return {"miscounted_words": OwnerWord.objects.filter(owner=video.owner, word_count__gt=0).update(word_count=0)}


@pytest.mark.parametrize("damage", [forget_a_word, leave_a_ghost, count_wrong])
def test_words_that_are_counted_wrong_are_counted_again_owner_by_owner(
    library: tuple[Video, Video], damage: Callable[[Video], IssueCounts]
) -> None:
    mine, theirs = library
    before = list_counts()
    expected = damage(mine)
    damage(theirs)
    assert count_issues() == {name: 2 * count for name, count in expected.items()}
    count_issues("--owner", MINE, "--repair")
    assert count_issues() == expected
    count_issues("--repair")
    assert count_issues() == {}
    assert list_counts() == before


def list_counts() -> set[tuple[object, ...]]:
    return set(OwnerWord.objects.values_list("owner", "word", "word_count", "stem_count"))
