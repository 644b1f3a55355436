"""The page on which an owner switches faces off, which erases what is known of them, and on again."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from heimdex.accounts.models import User
from people.models import FaceMatch, Person, PersonPhoto, SceneFace
from people.switch import FACES_OFF_FOR_YOU, FACES_OFF_HERE
from reprocess.models import ReprocessRun
from tests.library import make_user
from tests.reprocess.people.makers import film, finished, known, run
from tests.videos.pages.conftest import read, seen
from videos.models import Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]

PAGE = "/people/faces/"
LINK = f'href="{PAGE}"'


def switch(browser: Client, find_faces: str) -> str:
    """Press the button, and return what is read on the page that follows."""
    answer: Any = browser.post(PAGE, {"find_faces": find_faces}, follow=True)
    assert answer.redirect_chain == [("/people/", 302)]
    return seen(answer.content.decode())


def test_off_erases_after_a_question_and_on_has_the_videos_looked_through_again(browser: Client, owner: User) -> None:
    other = make_user("other@example.org")
    for one in (owner, other):
        film(one)
    run()
    for one in (owner, other):
        known(one)
    assert LINK in read(browser, "/people/")
    assert "Faces are looked for in your videos. Switch faces off…" in seen(read(browser, "/people/"))
    question = seen(read(browser, PAGE))
    assert "1 person with 1 photo, 1 face found in your videos," in question
    assert "This cannot be undone. The videos stay" in question
    # Neither the question nor a button without an answer does anything.
    assert browser.post(PAGE).status_code == 400
    assert FaceMatch.objects.filter(owner=owner).exists()

    page = switch(browser, "0")
    assert "Faces are switched off, and what was known of them is erased." in page
    assert f"{FACES_OFF_FOR_YOU} Switch faces on…" in page
    for model in (Person, PersonPhoto, SceneFace, FaceMatch):
        assert list(model._default_manager.values_list("owner", flat=True)) == [other.pk]
    assert Video.objects.filter(owner=owner).count() == 1
    assert "Faces are switched off, and" in switch(browser, "0")

    question = seen(read(browser, PAGE))
    assert "people and photos have to be added again" in question
    assert "still kept" not in question
    assert "Faces are switched on. They are looked for in the videos that are there" in switch(browser, "1")
    assert "Faces are looked for in your videos already." in switch(browser, "1")
    queued = ReprocessRun.objects.get(entrance="owner")
    assert (queued.requested_by, queued.owner_id) == (owner, owner.pk)
    finished(queued)
    assert SceneFace.objects.filter(owner=owner).count() == 1


def test_what_an_interrupted_erasure_left_can_be_erased(browser: Client, owner: User) -> None:
    film(owner)
    run()
    known(owner)
    User.objects.filter(pk=owner.pk).update(find_faces=False)

    assert "Not all is erased yet: 1 face and 1 photo are still kept. Erase the rest" in seen(read(browser, PAGE))
    switch(browser, "0")
    assert not SceneFace.objects.exists()
    assert "still kept" not in read(browser, PAGE)


@pytest.mark.parametrize("wanted", [True, False])
def test_where_the_administrator_has_switched_faces_off_nobody_is_asked(
    browser: Client, owner: User, settings: LazySettings, wanted: bool
) -> None:
    settings.MODEL_BACKENDS = {alias: backend for alias, backend in settings.MODEL_BACKENDS.items() if alias != "faces"}
    User.objects.filter(pk=owner.pk).update(find_faces=wanted)

    page = read(browser, "/people/")
    assert FACES_OFF_HERE in seen(page)
    assert LINK not in page
    page = read(browser, PAGE)
    assert FACES_OFF_HERE in seen(page)
    assert 'name="find_faces"' not in page
    assert FACES_OFF_HERE in switch(browser, "1")
    owner.refresh_from_db()
    assert owner.find_faces is wanted
    assert not ReprocessRun.objects.exists()


def test_whoever_is_not_logged_in_is_sent_to_do_so(client: Client, owner: User) -> None:
    for answer in (client.get(PAGE), client.post(PAGE, {"find_faces": "0"})):
        assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={PAGE}")
    owner.refresh_from_db()
    assert owner.find_faces
