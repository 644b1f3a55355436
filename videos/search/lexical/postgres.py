"""Lexical search with PostgreSQL's text search vectors, whose words come from `heimdex.text_analysis` (rows of `SceneWords`)."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import DatabaseError, connection

from heimdex.text_analysis import analyze_text, detect_language
from videos.channels import LEXICAL, ON_SCREEN, SHOWN
from videos.models import Scene
from videos.search.lexical.base import Excerpt, LexicalAnswer, LexicalBackend, LexicalQuery
from videos.search.lexical.candidates import PostgresCandidates
from videos.search.lexical.excerpts import build_excerpt, list_matches
from videos.search.lexical.query_words import SearchTerm, read_marked_terms
from videos.search.lexical.ranking import search_words
from videos.search.lexical.word_rows import delete_words, write_words

# The field of a scene that a channel shows.
_FIELDS = {LEXICAL: "transcript", SHOWN: "visual_text", ON_SCREEN: "on_screen_text"}


class PostgresLexical(LexicalBackend):
    """Lexical search in the database that also holds the scenes."""

    def index(self, scene_ids: Collection[UUID]) -> None:
        """Write the rows of the scenes' words, and of their videos'."""
        write_words(scene_ids)

    def delete(self, scene_ids: Collection[UUID]) -> None:
        """Delete the rows of the scenes' words."""
        delete_words(scene_ids)

    def search(self, query: LexicalQuery) -> LexicalAnswer:
        """Return the best scenes per channel."""
        return search_words(query, PostgresCandidates(query.owner_id))

    def highlight(self, scene_ids: Collection[UUID], text: str, channel: str, corrected: Collection[str] = ()) -> dict[UUID, Excerpt]:
        """Return an excerpt of each scene's words in a channel."""
        field = _FIELDS[channel]
        scenes = Scene.objects.filter(pk__in=scene_ids).values_list("pk", "owner_id", field, "video__metadata__language", "video__language")
        terms: dict[UUID, Sequence[SearchTerm]] = {}
        excerpts = {}
        for scene_id, owner_id, whole, transcribed, given in scenes:
            if owner_id not in terms:
                terms[owner_id] = read_marked_terms(owner_id, text, corrected)
            language = (transcribed or given) if channel == LEXICAL else ""
            tokens = analyze_text(whole, language or detect_language(whole))
            excerpts[scene_id] = build_excerpt(whole, tokens, list_matches(tokens, terms[owner_id]))
        return excerpts

    def health(self) -> str:
        """Return the reason why the database cannot answer, or an empty string."""
        try:
            connection.ensure_connection()
        except DatabaseError:
            return "The database cannot be reached, so nothing can be searched. Check HEIMDEX_DATABASE_URL."
        return "" if connection.is_usable() else "The connection to the database is broken. Try again."

    def check(self) -> list[str]:
        """Return no problems: there is nothing to configure."""
        return []
