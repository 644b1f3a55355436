"""Cursors: where the next page of an answer starts, signed, so that a client can only continue its own search.

A cursor holds the time of the first page and the last scene that was shown. Later pages leave out videos that were indexed since, and
continue after that scene. So new videos neither repeat nor hide a scene. If the scene itself was deleted meanwhile, the page continues at
the same offset.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder

from heimdex.errors import Refused

NOT_A_CURSOR = "This is not the cursor of an answer to this search. Start again without a cursor."
MAX_CURSOR_LENGTH = 400
_signer = signing.Signer(salt="videos.search.cursors")


@dataclass(frozen=True)
class Position:
    """The start of a page: after the scene `after`, or at `offset` if there is no such scene, in the answer of a time."""

    as_of: datetime
    offset: int = 0
    after: UUID | None = None

    def find_start(self, scene_ids: Sequence[UUID]) -> int:
        """Return the index at which the page starts in a ranking."""
        if self.after is not None and self.after in scene_ids:
            return scene_ids.index(self.after) + 1
        return min(self.offset, len(scene_ids))


def identify_search(owner_id: UUID, *parts: Any) -> str:
    """Return a hash of an owner and of all that determines an answer, but not its page."""
    text = json.dumps([owner_id, *parts], cls=DjangoJSONEncoder, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def encode_cursor(search_id: str, position: Position) -> str:
    """Return the cursor of a position in the answer to a search."""
    after = position.after.hex if position.after else ""
    return _signer.sign_object([search_id, position.as_of.isoformat(), position.offset, after])


def decode_cursor(search_id: str, cursor: str) -> Position:
    """Return the position that a cursor holds. Raise Refused when it is not a cursor of this search."""
    try:
        own_id, as_of, offset, after = _signer.unsign_object(cursor)
    except (signing.BadSignature, ValueError) as error:
        raise Refused(NOT_A_CURSOR, "cursor") from error
    if own_id != search_id:
        raise Refused(NOT_A_CURSOR, "cursor")
    return Position(datetime.fromisoformat(as_of), offset, UUID(after) if after else None)
