"""PostgreSQL's full text search is a lexical backend."""

from collections.abc import Callable
from unittest import mock

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_video
from tests.videos.search.lexical.conformance import LexicalConformance
from videos.models import Scene, Video
from videos.search.lexical.base import LexicalBackend, LexicalQuery
from videos.search.lexical.query_words import MAX_QUERY_WORDS

pytestmark = pytest.mark.django_db


class TestPostgres(LexicalConformance):
    configuration = {"BACKEND": "videos.search.lexical.postgres.PostgresLexical", "OPTIONS": {}}

    def test_a_database_that_cannot_be_reached_is_reported(self, backend: LexicalBackend, owner: User) -> None:
        with mock.patch.object(connection, "ensure_connection", side_effect=OperationalError("gone")):
            assert "HEIMDEX_DATABASE_URL" in backend.health()
        with mock.patch.object(connection, "is_usable", return_value=False):
            assert backend.health() == "The connection to the database is broken. Try again."

    @pytest.mark.parametrize("table", ["videos_ownerword", "videos_scenewords", "videos_videowords"])
    def test_a_database_that_goes_away_during_a_search_is_reported(self, backend: LexicalBackend, owner: User, table: str) -> None:
        self.add(backend, owner, ["A boat in the harbor."])
        api = APIClient(raise_request_exception=False)
        api.force_authenticate(owner)

        def lose(execute: Callable[..., object], sql: str, *args: object) -> object:
            if table in sql:
                raise OperationalError("the connection is closed")
            return execute(sql, *args)

        with connection.execute_wrapper(lose):
            answer = api.get("/v1/search", {"q": "harbor"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
        assert len(api.get("/v1/search", {"q": "harbor"}).json()["results"]) == 1

    def test_a_query_has_at_most_32_words(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["A boat."])
        padding = [f"word{number}" for number in range(MAX_QUERY_WORDS - 1)]
        assert MAX_QUERY_WORDS == 32
        assert self.find(backend, owner, " ".join([*padding, "boat"])) == [0]
        assert self.find(backend, owner, " ".join([*padding, "another", "boat"])) == []

    def test_titles_of_at_most_500_videos_match(self, backend: LexicalBackend, owner: User) -> None:
        pattern = make_video(owner, [])
        values = {field: getattr(pattern, field) for field in ("filename", "mime_type", "size_bytes", "state", "upload_expires_at")}
        videos = Video.objects.bulk_create(Video(owner=owner, title="Zeppelin", **values) for _ in range(501))
        Scene.objects.bulk_create(Scene(video=video, owner=owner, index=0, start_s=0, end_s=1) for video in videos)
        backend.index(list(Scene.objects.values_list("pk", flat=True)))
        assert len(backend.search(LexicalQuery(owner.pk, "zeppelin", 1000)).matches["lexical"]) == 500

    def test_scenes_of_the_best_titles_come_first_even_where_many_match(self, backend: LexicalBackend, owner: User) -> None:
        pattern = make_video(owner, [])
        values = {field: getattr(pattern, field) for field in ("filename", "mime_type", "size_bytes", "state", "upload_expires_at")}
        titles = ["Zeppelin"] * 9 + ["Zeppelin over Friedrichshafen"]
        *_, best = Video.objects.bulk_create(Video(owner=owner, title=title, **values) for title in titles)
        Scene.objects.bulk_create(
            Scene(video=video, owner=owner, index=index, start_s=index, end_s=index + 1)
            for video in Video.objects.all()
            for index in (0, 1)
        )
        backend.index(list(Scene.objects.values_list("pk", flat=True)))
        matches = backend.search(LexicalQuery(owner.pk, "zeppelin friedrichshafen", 2)).matches["lexical"]
        assert [match.scene_id for match in matches] == list(best.scenes.order_by("index").values_list("pk", flat=True))

    @pytest.mark.parametrize(("length", "is_whole"), [(300, True), (301, False)])
    def test_a_text_of_300_characters_is_shown_whole(self, backend: LexicalBackend, owner: User, length: int, is_whole: bool) -> None:
        text = ("ab " * 101)[:length]
        video = self.add(backend, owner, ["x"])
        video.scenes.update(transcript=text)
        (excerpt,) = backend.highlight([video.scenes.get().pk], "harbor", "lexical").values()
        assert (excerpt.html == text.strip()) == is_whole

    def test_an_excerpt_has_two_fragments_of_at_most_30_words(self, backend: LexicalBackend, owner: User) -> None:
        filler = " ".join(f"w{number}" for number in range(100))
        video = self.add(backend, owner, [f"{filler} boat {filler} boat {filler} boat {filler}"])
        (excerpt,) = backend.highlight([video.scenes.get().pk], "boat", "lexical").values()
        fragments = [fragment.split() for fragment in excerpt.html.removeprefix("… ").removesuffix(" …").split(" … ")]
        assert [len(fragment) for fragment in fragments] == [30, 30]
        video = self.add(backend, owner, [f"boats boat {filler} {filler}"])
        (excerpt,) = backend.highlight([video.scenes.get().pk], "harbor", "lexical").values()
        assert len(excerpt.html.removesuffix(" …").split()) == 10
