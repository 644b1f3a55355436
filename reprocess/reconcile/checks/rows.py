"""Rows whose owner differs from the owner of their video or person."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from heimdex.accounts.models import User
from people.models import Person, PersonPhoto
from reprocess.reconcile.base import Check, Finding, IssueType
from videos.models import Scene, Video

FOREIGN = IssueType(
    "foreign_rows",
    "rows have another owner than their video or person",
    "sets the owner of the video or person",
    "Open the video or person in the admin and decide who owns it.",
)


class Rows(Check):
    """Compare the owner of every model that belongs to a video, scene, person or photo, with one SQL statement per model."""

    order = 0
    issue_types = (FOREIGN,)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        for model in apps.get_models():
            if path := _find_owner_path(model):
                foreign = _select_foreign(model, path, owner_id)
                if count := foreign.count():
                    yield Finding(FOREIGN, count, f"{model._meta.verbose_name}: {count}", partial(_correct, model, path, owner_id))


def _find_owner_path(model: type[models.Model]) -> str:
    """Return the lookup from a model to the owner of its video or person. It is empty when the model has no owner or no such relation."""
    # A run outlives its owner and its video.
    if model is Video or _get_related_model(model, "owner") is not User or model._meta.get_field("owner").null:
        return ""
    if _get_related_model(model, "scene") is Scene and not model._meta.get_field("scene").null:
        return "scene__video__owner"
    if _get_related_model(model, "video") is Video:
        return "video__owner"
    if _get_related_model(model, "person") is Person:
        return "person__owner"
    if _get_related_model(model, "photo") is PersonPhoto:
        return "photo__person__owner"
    return ""


def _get_related_model(model: type[models.Model], field: str) -> object:
    try:
        return model._meta.get_field(field).related_model
    except FieldDoesNotExist:
        return None


def _select_foreign(model: type[models.Model], path: str, owner_id: UUID | None) -> models.QuerySet[models.Model]:
    # A run item belongs to a video, or to the people of its owner.
    rows = model._default_manager.filter(**{f"{path.partition('__')[0]}__isnull": False}).exclude(owner=F(path))
    return rows.filter(Q(owner=owner_id) | Q(**{path: owner_id})) if owner_id else rows


def _correct(model: type[models.Model], path: str, owner_id: UUID | None) -> int:
    correct_owner = model._default_manager.filter(pk=OuterRef("pk")).values(path)
    return model._default_manager.filter(pk__in=_select_foreign(model, path, owner_id).values("pk")).update(owner=Subquery(correct_owner))


CHECK = Rows()
