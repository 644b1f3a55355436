"""Search by people, alone and with words, and the people in its results."""

from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.backends import get_text_embedder
from people.models import FaceMatch, Person, SceneFace
from tests.library import make_user, make_video
from videos.models import ActiveSpace, EmbeddingSpace, RecordedQuery, Scene, Video

pytestmark = pytest.mark.django_db


def make_space(owner: User, channel: str, *, active: bool = True) -> EmbeddingSpace:
    new_space = EmbeddingSpace.objects.create(
        channel=channel, fingerprint=uuid4().hex, step="test", spec_version="1", embedder={}, dimensions=2
    )
    if active:
        ActiveSpace.objects.create(owner=owner, channel=channel, space=new_space)
    return new_space


class Library:
    """A video of four scenes, and the people in them."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        self.video = make_video(owner)
        self.faces, self.queries = make_space(owner, "person"), make_space(owner, "person_query")

    def add_person(self, name: str, *indexes: int, aliases: tuple[str, ...] = (), probability: float = 0.9) -> Person:
        person = Person.objects.create(owner=self.owner, name=name, aliases=list(aliases))
        for index in indexes:
            self.add_face(person, self.video.scenes.get(index=index), probability)
        return person

    def add_face(self, person: Person, scene: Scene, probability: float, *, faces: EmbeddingSpace | None = None) -> None:
        place = {"left": 0.1, "top": 0.1, "right": 0.2, "bottom": 0.3, "quality": 0.8, "side_px": 90}
        face = SceneFace.objects.create(
            scene=scene,
            video_id=scene.video_id,
            space=faces or self.faces,
            owner=self.owner,
            time_s=scene.start_s + 1,
            first_s=scene.start_s + 1,
            last_s=scene.start_s + 2,
            vector=[1.0, 0.0],
            **place,
        )
        FaceMatch.objects.create(face=face, person=person, space=self.queries, owner=self.owner, scene=scene, probability=probability)


@pytest.fixture
def library() -> Library:
    return Library(make_user())


@pytest.fixture
def api(library: Library) -> APIClient:
    client = APIClient()
    client.force_authenticate(library.owner)
    return client


def search(api: APIClient, **parameters: object) -> list[int]:
    answer = api.get("/v1/search", {"join": False, **parameters})
    assert answer.status_code == 200, answer.json()
    ids = [result["scene_id"] for result in answer.json()["results"]]
    make_index = {str(pk): index for pk, index in Scene.objects.values_list("pk", "index")}
    return [make_index[scene_id] for scene_id in ids]


def test_a_person_is_found_by_id_in_exactly_the_scenes_with_the_face(library: Library, api: APIClient) -> None:
    ann, ben = library.add_person("Ann", 0, 2), library.add_person("Ben", 2, 3)
    assert sorted(search(api, person_id=ann.pk)) == [0, 2]
    assert sorted(search(api, person_id=[ann.pk, ben.pk])) == [0, 2, 3]
    assert search(api, person_id=[ann.pk, ben.pk], every_person=True) == [2]
    assert search(api, person_id=library.add_person("Zoe").pk) == []
    # Both the parameter and the query hold.
    assert search(api, q="@Ann", person_id=ben.pk) == [2]
    assert sorted(search(api, q="@Ann @Ben", person_id=ben.pk)) == [2, 3]


def test_names_and_words_form_one_ranking_within_the_scenes_of_the_person(library: Library, api: APIClient) -> None:
    library.add_person("Ann Smith", 0, 1, 2, aliases=("Annie",))
    # The words are in scene 1; the other scenes of the person follow.
    assert search(api, q="@annie tomatoes and basil in the garden")[0] == 1
    assert sorted(search(api, q='@"Ann Smith" tomatoes and basil in the garden')) == [0, 1, 2]
    answer = api.get("/v1/search", {"q": "@Ann Smith"}).json()
    assert {match["channel"] for result in answer["results"] for match in result["matches"]} == {"person"}
    assert answer["results"][0]["people"][0]["name"] == "Ann Smith"


def test_a_person_who_is_asked_for_alone_is_found_as_probably_as_the_face_is_theirs(library: Library, api: APIClient) -> None:
    ann = library.add_person("Ann", 0, 2)
    probability = FaceMatch.objects.filter(person=ann).values_list("probability", flat=True)[0]
    for parameters in ({"q": "@Ann"}, {"person_id": ann.pk}, {"q": "Ann", "mode": "people"}):
        results = api.get("/v1/search", parameters).json()["results"]
        assert [(result["probability"], result["strength"]) for result in results] == [(round(probability, 3), "strong")] * 2
    # Beside words, the person alone says little about them.
    results = api.get("/v1/search", {"q": "@Ann tomatoes"}).json()["results"]
    assert "strong" not in {result["strength"] for result in results if [match["channel"] for match in result["matches"]] == ["person"]}


def test_a_name_is_sent_to_no_model_and_not_recorded(library: Library, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add_person("Ann Smith", 1)
    # So that meaning is searched too.
    identity = get_text_embedder().identity
    text = EmbeddingSpace.objects.create(
        channel="transcript",
        fingerprint=uuid4().hex,
        step="test",
        spec_version="1",
        embedder={"alias": "text", **vars(identity)},
        dimensions=identity.dimensions,
    )
    ActiveSpace.objects.create(owner=library.owner, channel="transcript", space=text)
    parameters: list[str] = []
    embed = type(get_text_embedder()).embed_queries

    def get_recorded(self: object, texts: list[str]) -> object:
        parameters.extend(texts)
        return embed(self, texts)  # type: ignore[arg-type]

    monkeypatch.setattr(type(get_text_embedder()), "embed_queries", get_recorded)
    assert search(api, q="@Ann Smith basil") == [1]
    assert search(api, q="@Ann Smith") == [1]
    assert parameters == ["basil"]
    assert list(RecordedQuery.objects.values_list("text", flat=True)) == ["basil"]


def test_of_two_people_who_share_a_name_the_same_person_is_always_found(library: Library, api: APIClient) -> None:
    library.add_person("Zoe", 0, aliases=("Eileen", "Lee"))
    library.add_person("Ann", 1, aliases=("lee",))
    assert search(api, q="@Lee") == [0]
    library.add_person("EILEEN", 2)
    assert search(api, q="@eileen") == [2]


def test_an_unknown_name_is_reported_and_searched_as_a_word(library: Library, api: APIClient) -> None:
    answer = api.get("/v1/search", {"q": "@tomatoes"}).json()
    assert answer["notices"] == ["You have no person named “tomatoes”. It was searched as a word."]
    assert answer["results"]


def test_another_owners_person_is_unknown(library: Library, api: APIClient) -> None:
    theirs = Library(make_user("other@example.org")).add_person("Ann", 0)
    assert api.get("/v1/search", {"person_id": theirs.pk}).status_code == 404
    assert "no person named" in api.get("/v1/search", {"q": "@Ann"}).json()["notices"][0]
    assert api.get("/v1/search").status_code == 400


def test_only_matches_in_active_spaces_count_and_archived_people_are_hidden(library: Library, api: APIClient) -> None:
    ann = library.add_person("Ann", 0)
    library.add_face(ann, library.video.scenes.get(index=1), 0.9, faces=make_space(library.owner, "person", active=False))
    assert search(api, person_id=ann.pk) == [0]
    Person.objects.update(archived_at=library.video.created_at)
    assert api.get("/v1/search", {"person_id": ann.pk}).status_code == 404
    assert api.get(f"/v1/videos/{library.video.pk}").json()["people"] == []


def test_a_video_lists_who_appears_and_when(library: Library, api: APIClient) -> None:
    library.add_person("Ann", 0, 1, 3)
    library.add_person("Ben", 1, probability=0.7)
    video = api.get(f"/v1/videos/{library.video.pk}").json()
    assert [(person["name"], person["scenes"], person["ranges"]) for person in video["people"]] == [
        ("Ann", 3, [[0.0, 10.0], [15.0, 20.0]]),
        ("Ben", 1, [[5.0, 10.0]]),
    ]
    assert [[person["name"] for person in scene["people"]] for scene in video["scenes"]] == [["Ann"], ["Ann", "Ben"], [], ["Ann"]]


def test_the_pages_name_people(library: Library, client: Client) -> None:
    library.add_person("Ann <b>", 0, 3)
    client.force_login(library.owner)
    page = client.get(f"/videos/{library.video.pk}/").content.decode()
    assert "Ann &lt;b&gt;" in page
    assert "in 2 scenes" in page
    assert "Ann &lt;b&gt;" in client.get("/search/", {"q": "@ann <b>"}).content.decode()


def test_listing_people_takes_a_constant_number_of_queries(library: Library, api: APIClient, django_assert_max_num_queries: object) -> None:
    for name in ("Ann", "Ben", "Cleo"):
        library.add_person(name, 0, 1, 2, 3)
    other = Video.objects.get(pk=make_video(library.owner, ["A word."], title="Short").pk)
    with django_assert_max_num_queries(20) as few:  # type: ignore[operator]
        api.get(f"/v1/videos/{other.pk}")
    with django_assert_max_num_queries(len(few)):  # type: ignore[operator]
        api.get(f"/v1/videos/{library.video.pk}")
