"""The words of an owner are counted with the texts that hold them, in every change of these."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video, edit_video
from videos.ingest.schedule import start_ingest
from videos.models import OwnerWord, SceneWords, Video
from videos.search.lexical.lexemes import find_vocabulary, get_owner_key
from videos.search.lexical.owner_words import find_miscounted, repair_counts
from videos.search.lexical.word_rows import write_words

TALK = ["The boats sailed to Besançon.", "A boat and 東京 and C++ and 42."]


@pytest.fixture
def owner(db: None) -> User:
    """Return an owner."""
    return make_user()


def list_words(owner: User) -> dict[str, int]:
    """Return how many texts hold each word of the owner."""
    return dict(OwnerWord.objects.filter(owner=owner, word_count__gt=0).values_list("word", "word_count"))


def test_words_are_counted_by_text_and_stems_apart(owner: User) -> None:
    make_video(owner, TALK, title="Boat")
    words = list_words(owner)
    assert {"boats": 1, "boat": 2, "besancon": 1}.items() <= words.items()
    assert OwnerWord.objects.get(word="boat").stem_count == 3
    assert not words.keys() & {"東京", "c++", "42"}
    assert find_miscounted(owner.pk) == set()


def edit_text(video: Video) -> None:
    edit_transcript(video.owner, video.pk, video.scenes.get(index=0).pk, "A zeppelin.")


def edit_title(video: Video) -> None:
    edit_video(video, title="Zeppelin", description="A zeppelin.")


def process_again(video: Video) -> None:
    start_ingest(video)
    write_words(video.list_scene_ids())


@pytest.mark.parametrize("change", [edit_text, edit_title, process_again])
def test_counts_follow_changes(owner: User, change: Callable[[Video], None]) -> None:
    make_video(owner, TALK)
    video = make_video(owner, TALK)
    change(video)
    assert find_miscounted(owner.pk) == set()
    delete_video(video)
    assert find_miscounted(owner.pk) == set()
    assert "zeppelin" not in list_words(owner)
    assert list_words(owner)["boats"] == 1


def test_nothing_is_left_of_the_last_text(owner: User) -> None:
    other = make_user("other@example.org")
    make_video(other, TALK)
    before = list_words(other)
    video = make_video(owner, TALK)
    delete_video(video)
    assert not OwnerWord.objects.filter(owner=owner).exists()
    assert list_words(other) == before


def test_the_same_texts_again_change_nothing(owner: User) -> None:
    video = make_video(owner, TALK)
    before = list_words(owner)
    write_words(video.list_scene_ids())
    assert list_words(owner) == before


def test_an_edit_costs_what_it_changes(owner: User) -> None:
    video = make_video(owner, TALK)
    SceneWords.objects.filter(video=video, index=0).update(text_hash="")
    changed = set()

    def watch(execute: Callable[..., object], sql: str, params: object, many: bool, context: object) -> object:
        if "videos_ownerword" in sql:
            changed.add(sql.split()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        write_words([video.scenes.get(index=0).pk])
    assert changed == set()


def test_wrong_counts_never_become_negative_and_are_repaired(owner: User) -> None:
    video = make_video(owner, TALK)
    make_video(owner, TALK)
    OwnerWord.objects.filter(owner=owner).update(word_count=0, stem_count=0)
    delete_video(video)
    assert "boat" in find_miscounted(owner.pk)
    assert repair_counts(owner.pk) > 3
    assert find_miscounted(owner.pk) == set()
    assert repair_counts(owner.pk) == 0


def test_the_words_of_a_vector_are_read_as_composed_and_as_stored(owner: User) -> None:
    make_video(owner, ["It's Müller's 'house' \\ and\u200d o'clock ก"])
    row = SceneWords.objects.get()
    words = find_vocabulary(row.spoken)
    assert {"muller", "mueller", "house", "~hous"} <= set(words)
    assert not any("'" in word or "\\" in word or "ก" in word for word in words)
    assert find_vocabulary(f"'{get_owner_key(owner.pk)}house':1,2 '{get_owner_key(owner.pk)}~hous':1,2") == ["house", "~hous"]


@pytest.mark.django_db(transaction=True)
def test_writers_of_one_owner_neither_deadlock_nor_miscount() -> None:
    owner = make_user()
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet"]
    videos = [make_video(owner, ["Nothing."]) for _ in range(6)]
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(videos))

    def work(number: int) -> None:
        try:
            barrier.wait()
            video, ordered = videos[number], words if number % 2 else words[::-1]
            for turn in range(4):
                edit_transcript(owner, video.pk, video.scenes.get().pk, " ".join(ordered[turn:]))
            if number < 3:
                delete_video(video)
        except BaseException as error:  # noqa: BLE001  # The test reports it.
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(videos))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert find_miscounted(owner.pk) == set()
    assert list_words(owner)["echo"] == 3
