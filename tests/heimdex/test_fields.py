"""Errors are stored without secrets, by every way of writing a row."""

import pytest
from django.apps import apps
from django.db import models

from heimdex.fields import ErrorTextField
from tests.library import make_user, make_video
from videos.models import Video

DSN = "postgresql://heimdex:c4n4ry@db/heimdex"
REDACTED = "postgresql://[redacted]@db/heimdex"


@pytest.mark.django_db
def test_an_error_is_stored_without_secrets() -> None:
    ann = make_user()
    video = make_video(ann)
    video.error_text = f"Cannot connect to {DSN}."
    video.save()
    assert Video.objects.get(pk=video.pk).error_text == f"Cannot connect to {REDACTED}."
    Video.objects.filter(pk=video.pk).update(error_text=DSN)
    assert Video.objects.get(pk=video.pk).error_text == REDACTED
    Video.objects.bulk_update([Video(pk=video.pk, error_text=f"again {DSN}")], ["error_text"])
    assert Video.objects.get(pk=video.pk).error_text == f"again {REDACTED}"


def test_every_error_field_redacts_secrets() -> None:
    names = {"error", "error_text"}
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in ("heimdex", "videos", "people", "reprocess")]
    fields = [field for model in ours for field in model._meta.get_fields() if isinstance(field, models.Field) and field.name in names]
    assert len(fields) >= 7
    assert all(isinstance(field, ErrorTextField) for field in fields)
