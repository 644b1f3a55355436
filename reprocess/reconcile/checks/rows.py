"""Rows that say they belong to another owner than their video or person does."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from heimdex.accounts.models import User
from people.models import Person, PersonPhoto
from reprocess.reconcile.base import Check, Finding, Kind
from videos.models import Scene, Video

FOREIGN = Kind(
    "foreign_rows",
    "rows name another owner than the video or person they belong to",
    "gives them that owner",
    "Look at the video or person in the admin and decide whose it is.",
)


class Rows(Check):
    """Every model with an owner that hangs on a video, a scene, a person or a photo, as the models list them; one statement each."""

    order = 0
    kinds = (FOREIGN,)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        for model in apps.get_models():
            if path := _path_to_owner(model):
                foreign = _foreign(model, path, owner_id)
                if count := foreign.count():
                    yield Finding(FOREIGN, count, f"{model._meta.verbose_name}: {count}", partial(_correct, model, path, owner_id))


def _path_to_owner(model: type[models.Model]) -> str:
    """Return how a model's rows reach the owner of their video or person, or nothing when they have none of their own or no such thing."""
    # A run outlives its owner and its video.
    if model is Video or _target(model, "owner") is not User or model._meta.get_field("owner").null:
        return ""
    if _target(model, "scene") is Scene and not model._meta.get_field("scene").null:
        return "scene__video__owner"
    if _target(model, "video") is Video:
        return "video__owner"
    if _target(model, "person") is Person:
        return "person__owner"
    if _target(model, "photo") is PersonPhoto:
        return "photo__person__owner"
    return ""


def _target(model: type[models.Model], field: str) -> object:
    try:
        return model._meta.get_field(field).related_model
    except FieldDoesNotExist:
        return None


def _foreign(model: type[models.Model], path: str, owner_id: UUID | None) -> models.QuerySet[models.Model]:
    # An item of a run is of a video, or of its owner's people.
    rows = model._default_manager.filter(**{f"{path.partition('__')[0]}__isnull": False}).exclude(owner=F(path))
    return rows.filter(Q(owner=owner_id) | Q(**{path: owner_id})) if owner_id else rows


def _correct(model: type[models.Model], path: str, owner_id: UUID | None) -> int:
    rightful = model._default_manager.filter(pk=OuterRef("pk")).values(path)
    return model._default_manager.filter(pk__in=_foreign(model, path, owner_id).values("pk")).update(owner=Subquery(rightful))


CHECK = Rows()
