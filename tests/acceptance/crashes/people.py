"""Create owners whose people each appear in one scene, and check their state after a crash."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.utils import timezone
from pytest_django import Settings

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from people.input_hashes import refresh_photo_inputs
from people.models import FaceMatch, Person, PersonPhoto, SceneFace
from reprocess.models import Cutover, ReprocessItem, ReprocessRun
from reprocess.runs.engine import embed_people, embed_videos
from reprocess.spec import get_effective_spec
from tests.acceptance.crashes.faces import KEYFRAME, make_portrait
from tests.acceptance.crashes.library import FIRST, SECOND, NullLease, configure_models, embed_directly, make_film
from tests.acceptance.crashes.models import CountingServer
from tests.acceptance.crashes.outcome import assert_one_row_each, read_counters
from videos.embedding_texts import hash_input
from videos.input_hashes import refresh_input_hashes
from videos.models import ActiveSpace, Scene, Video

PEOPLE = 2
# Of each of them as many.
PHOTOS = PEOPLE**2
CHANNELS = ("person", "person_photo", "person_query")


def make_film_of(owner: User, number: int, word: str) -> Video:
    """Create an indexed video whose two scenes show the first and the second of an owner's people."""
    film = make_film(owner, word, scenes=PEOPLE)
    for scene in film.scenes.all():
        keyframe = make_portrait(number, scene.index, 0, KEYFRAME)
        get_media_storage().save(scene.keyframe_key, keyframe, "image/jpeg")
        keyframe_hash = hash_input(keyframe)
        Scene.objects.filter(pk=scene.pk).update(keyframe_hash=keyframe_hash, pictures_hash=keyframe_hash)
    refresh_input_hashes(film)
    return film


def make_people(settings: Settings, server: CountingServer, number: int, word: str) -> User:
    """Create an owner with a film and people whose search reads the first face model's vectors; the scenes also have the second's."""
    owner = User.objects.create_user(f"{word}@example.org", None)
    film = make_film_of(owner, number, word)
    photos = []
    for index in range(PEOPLE):
        person = Person.objects.create(owner=owner, name=f"{word} {index}")
        for variant in range(PHOTOS // PEOPLE):
            photos.append(make_photo(person, PersonPhoto.State.PROCESSING))
            _store_files(photos[-1], make_portrait(number, index, variant))
    configure_models(settings, server, SECOND, FIRST)
    embed_directly([film])
    token = uuid4()
    PersonPhoto.objects.filter(pk__in=[photo.pk for photo in photos]).update(lease_token=token)
    embed_people(owner.pk, get_effective_spec(), NullLease(), lambda batch: None, photo_token=token)
    configure_models(settings, server, SECOND, SECOND)
    embed_videos([film], get_effective_spec(), NullLease(), lambda batch: None)
    return owner


def make_photo(person: Person, state: str) -> PersonPhoto:
    """Create a photo without its files."""
    return PersonPhoto.objects.create(
        person=person,
        owner=person.owner,
        filename="photo.jpg",
        mime_type="image/jpeg",
        size_bytes=1,
        state=state,
        woken_at=timezone.now(),
        upload_expires_at=timezone.now() + timedelta(hours=1),
    )


def _store_files(photo: PersonPhoto, content: bytes) -> None:
    for key in (photo.image_key, photo.thumbnail_key):
        get_media_storage().save(key, content, "image/jpeg")
    PersonPhoto.objects.filter(pk=photo.pk).update(image_hash=hash_input(content), checksum=hash_input(b"sent" + content))
    refresh_photo_inputs(photo)


def find_appearances(owner: User) -> dict[UUID, list[int]]:
    """Return the scenes in which search finds each of an owner's people, one entry per face."""
    read = ActiveSpace.objects.filter(owner=owner).values("space")
    appearances: dict[UUID, list[int]] = {}
    matches = FaceMatch.objects.filter(owner=owner, space__in=read, face__space__in=read).order_by("scene__index")
    for person_id, scene in matches.values_list("person", "scene__index"):
        appearances.setdefault(person_id, []).append(scene)
    return appearances


def assert_people_complete(run: ReprocessRun, owner: User) -> None:
    """Check that a run over an owner of `make_people` updated photos and people once, and that search reads them."""
    run.refresh_from_db()
    assert (run.state, run.error, run.model_calls) == (ReprocessRun.State.SUCCEEDED, "", PHOTOS), owner.email
    items = run.items.values_list("video__title", "state", "lease_token").order_by("turn")
    assert list(items) == [("A film", ReprocessItem.State.DONE, None), (None, ReprocessItem.State.DONE, None)], owner.email
    counted, fresh = read_counters(run), (PEOPLE, 0, PEOPLE, 0, 0)
    assert counted.pop("person_photo") == (PHOTOS, PHOTOS, 0, 0, 0), owner.email
    assert counted.pop("person_query") == (PEOPLE, PEOPLE, 0, 0, 0), owner.email
    assert counted == dict.fromkeys(("transcript", "visual", "summary", "clip", "person"), fresh), owner.email

    active = ActiveSpace.objects.filter(owner=owner, channel__in=CHANNELS).select_related("space")
    assert {entry.channel: entry.space.embedder["model"] for entry in active} == dict.fromkeys(CHANNELS, SECOND), owner.email
    assert_one_row_each(owner)
    states = PersonPhoto.objects.filter(owner=owner).values_list("state", "error_text", "lease_token")
    assert list(states) == [(PersonPhoto.State.READY, "", None)] * PHOTOS, owner.email
    # A face in each scene, in each model's space.
    assert SceneFace.objects.filter(owner=owner).count() == 2 * PEOPLE, owner.email
    people = Person.objects.filter(owner=owner).order_by("name").values_list("pk", flat=True)
    assert find_appearances(owner) == {person_id: [index] for index, person_id in enumerate(people)}, owner.email
    assert Cutover.objects.get(owner=owner).state == Cutover.State.SWITCHED, owner.email
