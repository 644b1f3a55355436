"""Read a query: its words for ranking, and with quotes or a minus sign the conditions that every answer meets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from heimdex.text_analysis import QueryTerm, analyze_query, detect_language
from videos.search.word_conditions import contains_phrase, contains_word

MAX_QUERY_WORDS = 32
_PART = re.compile(r'(?P<excluded>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True)
class QueryWords:
    """The terms that rank scenes, and conditions on scenes (of the owner) that hold exactly."""

    terms: tuple[QueryTerm, ...]
    conditions: Q


def read_query(owner_id: UUID, text: str, languages: Sequence[str]) -> QueryWords:
    """Return the words of a query. With `"a phrase"` or `-word` in it, every part is a condition."""
    parts = list(_PART.finditer(text))
    wanted = [match["phrase"] or match["word"] or "" for match in parts if not match["excluded"]]
    own = detect_language(" ".join(wanted), languages)
    terms = analyze_query(" ".join(wanted), languages, own_language=own)[:MAX_QUERY_WORDS]
    conditions = Q()
    if any(match["excluded"] or match["phrase"] is not None for match in parts):
        for match in parts[:MAX_QUERY_WORDS]:
            if match["phrase"] is not None:
                condition = contains_phrase(owner_id, match["phrase"])
            else:
                condition = contains_word(owner_id, match["word"], languages=(own, *languages))
            conditions &= ~condition if match["excluded"] else condition
    # Stop words count only if nothing else is left.
    return QueryWords(tuple([term for term in terms if not term.is_stop_word] or terms), conditions)
