"""The state of the index for operators."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from heimdex.text_analysis import ANALYSIS_VERSION
from videos.models import SceneWords
from videos.search.lexical.opensearch.connection import SearchServerAway
from videos.search.lexical.search_index import count_outbox

if TYPE_CHECKING:
    from videos.search.lexical.opensearch.backend import OpenSearchLexical

_READ_ONLY = "The search index is read-only, as after a full disk: changes wait until the block ends."
_DEAD = "OpenSearch has refused {count} change(s) for good: see their errors in the admin, then run manage.py search_index verify --repair."
_OLDER_ANALYSIS = "Part of the index may have words of an older analysis until manage.py index_words has ended."


@dataclass(frozen=True)
class WordIndexStatus:
    """The index that is searched, the one that is being built, how much each side holds, and what an operator should do."""

    problems: tuple[str, ...]
    index: str = ""
    building: str = ""
    mapping_version: int = 0
    analysis_version: int = 0
    documents: int = 0
    rows: int = 0
    waiting: int = 0
    waiting_since: datetime | None = None
    dead: int = 0


def read_status(backend: "OpenSearchLexical") -> WordIndexStatus:
    """Return the state. It has a problem when the server cannot be used."""
    outbox = count_outbox()
    problems = [_DEAD.format(count=outbox.dead)] if outbox.dead else []
    status = WordIndexStatus((), rows=SceneWords.objects.count(), waiting=outbox.waiting, waiting_since=outbox.since, dead=outbox.dead)
    try:
        state = backend.read_state()
        searched = state.require_searched()
        with backend.connection.explained():
            documents = backend.client.count(index=searched.name)["count"]
    except SearchServerAway as error:
        return replace(status, problems=(str(error), *problems))
    if searched.is_read_only:
        problems.append(_READ_ONLY)
    if searched.identity.analysis_version < ANALYSIS_VERSION:
        problems.append(_OLDER_ANALYSIS)
    return replace(
        status,
        problems=tuple(problems),
        index=searched.name,
        building=state.building.name if state.building else "",
        mapping_version=searched.identity.mapping_version,
        analysis_version=searched.identity.analysis_version,
        documents=documents,
    )
