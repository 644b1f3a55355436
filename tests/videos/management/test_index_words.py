"""The words of videos that an older release indexed are written by a command, and a little every minute by the workers."""

import io
import json
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos import tasks
from videos.models import OwnerWord, SceneWords, VideoWords
from videos.search.lexical import backfill
from videos.search.lexical.word_rows import write_missing_words
from videos.search.pools import WORDS_WAIT
from videos.search.service import SearchRequest, search

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    """Return an owner of three videos that an older release indexed."""
    owner = make_user()
    for title in ("First", "Second", "Third"):
        make_video(owner, ["The boat sailed.", "A garden."], title)
    forget_words()
    return owner


def forget_words() -> None:
    """Leave the tables of words as the migration makes them."""
    for model in (SceneWords, VideoWords, OwnerWord):
        model.objects.all().delete()


def run(*args: str) -> str:
    """Run the command, and return what it prints."""
    out = io.StringIO()
    call_command("index_words", *args, stdout=out)
    return out.getvalue()


def list_rows() -> list[Any]:
    """Return all rows of words."""
    return [
        *SceneWords.objects.order_by("pk").values_list(),
        *VideoWords.objects.order_by("pk").values_list(),
        *OwnerWord.objects.order_by("owner", "word").values_list("owner", "word", "word_count", "stem_count"),
    ]


def count_hits(owner: User) -> int:
    """Return how many videos are found by a word."""
    return len({hit.scene.video_id for hit in search(owner, SearchRequest("sailing")).hits})


def test_the_command_writes_all_words_once(owner: User) -> None:
    assert count_hits(owner) == 0
    assert run() == "Analyzed the words of 3 video(s).\n"
    assert count_hits(owner) == 3
    rows = list_rows()
    assert json.loads(run("--json")) == {"videos": 0}
    assert list_rows() == rows


def test_the_command_leaves_another_owners_videos(owner: User) -> None:
    other = make_user("other@example.org")
    make_video(other, ["The boat sailed."])
    forget_words()
    assert json.loads(run("--owner", owner.email, "--json")) == {"videos": 3}
    assert (count_hits(owner), count_hits(other)) == (3, 0)
    assert not OwnerWord.objects.filter(owner=other).exists()
    with pytest.raises(CommandError, match=r"There is no owner nobody@example\.org") as refused:
        run("--owner", "nobody@example.org")
    assert refused.value.returncode == 2


@pytest.mark.parametrize("place", ["SceneWords", "VideoWords", "VocabularyChange.apply"])
def test_a_command_that_dies_in_the_middle_of_a_video_goes_on_with_it(owner: User, place: str) -> None:
    run("--owner", owner.email)
    expected = list_rows()
    forget_words()
    target = "videos.search.lexical.owner_words.VocabularyChange.apply" if "." in place else f"videos.models.{place}.objects.bulk_create"
    with mock.patch(target, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run()
    assert VideoWords.objects.count() == SceneWords.objects.values("video").distinct().count() == 0
    assert run() == "Analyzed the words of 3 video(s).\n"
    assert list_rows() == expected


def test_words_are_kept_if_the_database_goes_away_in_the_middle(owner: User) -> None:
    def write(video_id: Any) -> None:
        if VideoWords.objects.count() == 1:
            raise OperationalError("the connection is closed")
        write_missing_words(video_id)

    with mock.patch.object(backfill, "write_missing_words", write), pytest.raises(OperationalError):
        tasks.backfill_missing_words()
    assert count_hits(owner) == 1
    assert tasks.backfill_missing_words() == 2
    assert count_hits(owner) == 3


def test_the_workers_write_words_for_a_while_every_minute_and_search_tells_what_is_left_out(owner: User) -> None:
    with mock.patch("videos.tasks.enqueue") as enqueue, mock.patch("videos.tasks._BACKFILL_S", 0.0):
        for left in (3, 2, 1):
            answer = search(owner, SearchRequest("boat"))
            assert WORDS_WAIT.format(count=left) in answer.notices
            assert len({hit.scene.video_id for hit in answer.hits}) == 3 - left
            assert tasks.find_missing_words() == left
            enqueue.assert_called_once_with("videos.tasks.backfill_missing_words")
            enqueue.reset_mock()
            assert tasks.backfill_missing_words() == 1
        assert search(owner, SearchRequest("boat")).notices == ()
        assert tasks.find_missing_words() == 0
        enqueue.assert_not_called()
