"""PostgreSQL's full text search is a lexical backend."""

from unittest import mock

import pytest
from django.db import OperationalError, connection

from heimdex.accounts.models import User
from tests.videos.search.lexical.conformance import LexicalConformance
from videos.search.lexical.base import LexicalBackend, LexicalQuery
from videos.search.lexical.postgres import MAX_QUERY_WORDS, PostgresLexical

pytestmark = pytest.mark.django_db


class TestPostgres(LexicalConformance):
    @pytest.fixture
    def backend(self) -> LexicalBackend:
        return PostgresLexical()

    def test_a_database_that_cannot_be_reached_is_reported(self, backend: LexicalBackend, owner: User) -> None:
        with mock.patch.object(connection, "ensure_connection", side_effect=OperationalError("gone")):
            assert "HEIMDEX_DATABASE_URL" in backend.health()
        with mock.patch.object(connection, "is_usable", return_value=False):
            assert backend.health() == "The connection to the database is broken. Try again."

    def test_a_query_has_at_most_32_words(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["A boat."])
        padding = [f"word{number}" for number in range(MAX_QUERY_WORDS - 1)]
        assert MAX_QUERY_WORDS == 32
        assert self.find(backend, owner, " ".join([*padding, "boat"])) == [0]
        assert self.find(backend, owner, " ".join([*padding, "another", "boat"])) == []

    def test_scores_follow_the_weights_of_their_words(self, backend: LexicalBackend, owner: User) -> None:
        video = self.add(backend, owner, ["boat"], on_screen="boat")
        scene = video.scenes.get()

        def score(channel: str) -> float:
            # A match of all words adds one; the rest is ts_rank_cd divided by 1 + log(length).
            return backend.search(LexicalQuery(owner.pk, "boat", 1))[channel][0].score - 1

        spoken, on_screen = score("lexical"), score("on_screen")
        scene.transcript, scene.visual_text = "", "boat"
        scene.save(update_fields=["transcript", "visual_text"])
        assert score("lexical") / spoken == pytest.approx(0.4, rel=0.05)
        assert on_screen / spoken == pytest.approx(1.0, rel=0.05)
