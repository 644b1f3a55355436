"""Judge the results of a search."""

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.errors import WrongState
from videos.embedding_texts import hash_input
from videos.models import Judgment, Scene
from videos.search.query_language import NoNames, normalize_query, parse_query

# Per owner. More would make an evaluation take hours.
MAX_JUDGMENTS = 10_000
TOO_MANY = f"You have {MAX_JUDGMENTS:,} judgments, the most that are kept. Delete some first."


def judge_scene(owner: User, text: str, scene_id: UUID, *, fits: bool) -> Judgment:
    """Record whether one of the owner's scenes fits a query. The same scene and query again replace the judgment.

    Raise Scene.DoesNotExist for an unknown scene or another owner's, QuerySyntaxError for a query that no evaluation could search for,
    and WrongState at the limit.
    """
    parse_query(text, NoNames)
    scene = Scene.objects.only("pk").get(pk=scene_id, owner=owner)
    text = normalize_query(text)
    judgments = Judgment.objects.filter(owner=owner)
    digest = hash_input(text)
    if not judgments.filter(text_hash=digest, scene=scene).exists() and judgments.count() >= MAX_JUDGMENTS:
        raise WrongState(TOO_MANY)
    judgment, _ = Judgment.objects.update_or_create(
        owner=owner, text_hash=digest, scene=scene, defaults={"text": text, "fits": fits, "judged_at": timezone.now()}
    )
    return judgment


def withdraw_judgment(owner: User, text: str, scene_id: UUID) -> None:
    """Delete the owner's judgment of a scene for a query, if there is one."""
    Judgment.objects.filter(owner=owner, text_hash=hash_input(normalize_query(text)), scene_id=scene_id).delete()


def find_judgments(owner: User, text: str, scene_ids: Collection[UUID]) -> dict[UUID, bool]:
    """Return which of some scenes the owner has judged for a query, and whether they fit."""
    rows = Judgment.objects.filter(owner=owner, text_hash=hash_input(normalize_query(text)), scene__in=scene_ids)
    return dict(rows.values_list("scene_id", "fits"))
