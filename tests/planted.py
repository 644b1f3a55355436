"""Create an owner with a row in every model that has owners, so that tests of isolation cover new models too."""

from functools import reduce
from operator import or_
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils import timezone
from pgvector.django import HalfVectorField

from heimdex.accounts.models import User
from people.models import FaceGroup, Person, PersonPhoto, SceneFace
from reprocess.models import Cutover, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.heimdex.accounts.second_factors import plant_passkey
from tests.library import make_video
from videos.models import Collection, Judgment, ManualTag, RecordedQuery, SavedSearch, Scene, Video

CANARY = "Xylographer"
PACKAGES = ("videos", "people", "reprocess")
OTHER_MODELS = (Authenticator,)
# The model of an id in a URL of the API or a page, by the path segment before it.
ID_MODELS: dict[str, type[models.Model]] = {
    "videos": Video,
    "scenes": Scene,
    "persons": Person,
    "people": Person,
    "photos": PersonPhoto,
    "faces": SceneFace,
    "groups": FaceGroup,
    "unknown": FaceGroup,
    "reprocess-runs": ReprocessRun,
    "cutovers": Cutover,
    "queries": RecordedQuery,
    "judgments": Judgment,
    "collections": Collection,
    "tags": ManualTag,
    "saved-searches": SavedSearch,
    "passkeys": Authenticator,
}


def list_owned_models() -> list[type[models.Model]]:
    """Return the project's models whose rows have an owner, and those of libraries that pages and API show."""
    own = [model for model in apps.get_models() if model.__module__.split(".")[0] in PACKAGES and _list_owner_keys(model)]
    return [*own, *OTHER_MODELS]


def filter_by_owner(model: type[models.Model], owner: User) -> Q:
    """Return a filter for an owner's rows of a model."""
    return reduce(or_, (Q(**{key: owner}) for key in _list_owner_keys(model)))


def plant_owner(owner: User) -> Video:
    """Create a row in every owned model, with the canary in every text. Return an indexed and embedded video."""
    video = make_video(owner, [f"The {CANARY} boat at sea.", "More."], title=f"{CANARY} title")
    run_worker(start_run(Scope("owner", owner_id=owner.pk), force=False, entry_point="command", requested_by=owner).pk)
    texts = {"description": CANARY, "filename": f"{CANARY}.mp4", "summary": CANARY, "tags": [CANARY], "error_text": CANARY}
    Video.objects.filter(pk=video.pk).update(**texts)
    Scene.objects.filter(video=video).update(description=CANARY, visual_text=f"boat {CANARY}", tags=[{"name": CANARY, "confidence": 1}])
    plant_passkey(owner, CANARY)
    failed = make_video(owner, ["boat"], title=f"{CANARY} failed")
    Video.objects.filter(pk=failed.pk).update(state=Video.State.FAILED, error_text=CANARY)
    for model in list_owned_models():
        if not model._default_manager.filter(filter_by_owner(model, owner)).exists():
            _plant(model, owner, video)
    return video


def find_ids(owner: User, video: Video) -> dict[str, Any]:
    """Return an id of an owner for each path segment that precedes one; those of `plant_owner`'s video and its first scene."""
    rows = {
        word: model._default_manager.filter(filter_by_owner(model, owner)).values_list("pk", flat=True)[0]
        for word, model in ID_MODELS.items()
    }
    return {**rows, "videos": video.pk, "scenes": video.scenes.earliest("index").pk}


def _plant(model: type[models.Model], owner: User, video: Video) -> None:
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            related = field.related_model
            mine = Q() if not _list_owner_keys(related) else filter_by_owner(related, owner)
            values[field.name] = {User: owner, Video: video}.get(related) or related._default_manager.filter(mine).first()
        elif isinstance(field, models.JSONField):
            values[field.name] = {CANARY: CANARY} if field.default is dict else [CANARY]
        elif isinstance(field, models.BinaryField):
            values[field.name] = CANARY.encode()
        elif isinstance(field, HalfVectorField):
            values[field.name] = [1.0]
        elif isinstance(field, models.CharField | models.TextField):
            values[field.name] = field.choices[0][0] if field.choices else CANARY[: field.max_length]
        elif not field.has_default() and not field.null and not field.primary_key and not isinstance(field, models.GeneratedField):
            values[field.name] = timezone.now() if isinstance(field, models.DateTimeField) else 1
    model._default_manager.create(**values)


def _list_owner_keys(model: Any) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey) and field.related_model is User]
