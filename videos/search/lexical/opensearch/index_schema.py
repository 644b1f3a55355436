"""The index of OpenSearch: its names, its mapping, and the documents of scenes. Pure.

A document has the lexemes of a scene, as they are in the row of its words: analyzed in Python, with the key of their owner. So a word's
statistics in the index are those of one owner, and no analyzer of the server's is used. What is written elsewhere (titles, lengths,
positions) is read from the database.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from heimdex.text_analysis import ANALYSIS_VERSION
from videos.models import SceneWords
from videos.search.lexical.bm25 import K1, B

# Raise it with every change of the mapping or of the documents; `search_index rebuild` then writes a new index.
MAPPING_VERSION = 1
# An owner's documents are in one part, so a search asks one of them.
SHARDS = 3
TEXTS = ("spoken", "shown", "on_screen")
_LEXEME = re.compile(r"'((?:[^'\\]|''|\\\\)*)'(?::([\d,]+))?")
_TEXT: dict[str, Any] = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
_KEYWORD: dict[str, Any] = {"type": "keyword"}


class IndexNames:
    """The names of an installation's indexes and aliases, all of which begin with its prefix."""

    def __init__(self, prefix: str) -> None:
        self.alias = f"{prefix}-scenes"
        # The index that is being built.
        self.next_alias = f"{prefix}-scenes-next"
        self.pattern = f"{prefix}-scenes-v*"

    def create(self, now: datetime) -> str:
        """Return the name of a new index."""
        return f"{self.alias}-v{MAPPING_VERSION}-{now:%Y%m%d%H%M%S}-{uuid4().hex[:8]}"


def build_index(aliases: Iterable[str]) -> dict[str, Any]:
    """Return the settings, the mapping and the aliases of a new index."""
    return {
        "settings": {
            "number_of_shards": SHARDS,
            "auto_expand_replicas": "0-1",
            # Who writes also refreshes, before the change leaves the outbox.
            "refresh_interval": "-1",
            "similarity": {"default": {"type": "BM25", "k1": K1, "b": B}},
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": {"mapping_version": MAPPING_VERSION, "analysis_version": ANALYSIS_VERSION},
            # What `verify` reads.
            "_source": {"includes": ["scene", "owner", "text_hash"]},
            "_routing": {"required": True},
            "properties": {
                "scene": _KEYWORD,
                "owner": _KEYWORD,
                "video": _KEYWORD,
                "index": {"type": "integer"},
                "text_hash": {"type": "keyword", "index": False},
                **dict.fromkeys(TEXTS, _TEXT),
            },
        },
        "aliases": {alias: {} for alias in aliases},
    }


def build_document(words: SceneWords) -> dict[str, Any]:
    """Return the document of a scene's words."""
    return {
        "scene": str(words.scene_id),
        "owner": str(words.owner_id),
        "video": str(words.video_id),
        "index": words.index,
        "text_hash": words.text_hash,
        **{field: " ".join(iter_tokens(getattr(words, field))) for field in TEXTS},
    }


def iter_tokens(vector: str) -> Iterator[str]:
    """Yield each lexeme of the text of a tsvector as often as it has positions."""
    for lexeme, positions in _LEXEME.findall(vector):
        token = unquote(lexeme)
        for _ in range(positions.count(",") + 1):
            yield token


def unquote(lexeme: str) -> str:
    """Return a lexeme as it was before it was quoted for PostgreSQL."""
    return lexeme.replace("''", "'").replace("\\\\", "\\")


def get_routing(owner_id: UUID) -> str:
    """Return the routing of an owner's documents."""
    return str(owner_id)
