"""Scenes and titles that the search for words does not know, or knows with older texts, are found and repaired."""

from collections.abc import Callable

import pytest

from heimdex.accounts.models import User
from tests.reprocess.reconcile.conftest import MINE, IssueCounts, count_issues
from videos.models import Scene, SceneWords, Video, VideoWords
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
    assert count_issues() == {name: 2 * count for name, count in expected.items()}
    count_issues("--owner", MINE, "--repair")
    assert count_issues() == expected
    assert Scene.objects.filter(contains_word(mine.owner_id, "boat"), video=mine).exists()
    count_issues("--repair")
    assert count_issues() == {}
    assert User.objects.count() == 2
