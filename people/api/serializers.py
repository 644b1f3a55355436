"""Serializers of people and their photos."""

from typing import Any

from rest_framework import serializers

from heimdex.api_fields import BoundedListField
from heimdex.uploads.api import UploadRequestSerializer, UploadTargetSerializer
from people.models import Person, PersonPhoto
from people.names import MAX_ALIASES, MAX_NAME_LENGTH
from people.queries import get_portrait_url
from people.status import PersonState


class PersonSerializer(serializers.ModelSerializer[Person]):
    """A person. The queryset needs `annotate_status` and `prefetch_portraits`."""

    archived = serializers.BooleanField(source="is_archived", read_only=True)
    status = serializers.ChoiceField(choices=PersonState.choices, read_only=True)
    photo_count = serializers.IntegerField(read_only=True)
    ready_photo_count = serializers.IntegerField(source="ready_count", read_only=True)
    failed_photo_count = serializers.IntegerField(source="failed_count", read_only=True)
    thumbnail_url = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = (
            "id",
            "name",
            "aliases",
            "archived",
            "status",
            "photo_count",
            "ready_photo_count",
            "failed_photo_count",
            "thumbnail_url",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields
        extra_kwargs = {"aliases": {"help_text": "Other names that find this person."}}

    def get_thumbnail_url(self, person: Person) -> str:
        """Return a signed, expiring URL of the first ready photo's thumbnail, or an empty string without one."""
        return get_portrait_url(person)


class NewPersonSerializer(serializers.Serializer[Any]):
    """A person to add."""

    name = serializers.CharField(max_length=MAX_NAME_LENGTH)
    aliases = BoundedListField(
        child=serializers.CharField(max_length=MAX_NAME_LENGTH), max_length=MAX_ALIASES, required=False, default=list
    )


class PersonChangesSerializer(serializers.Serializer[Any]):
    """Changes of a person. Omitted fields keep their values."""

    name = serializers.CharField(max_length=MAX_NAME_LENGTH, required=False)
    aliases = BoundedListField(child=serializers.CharField(max_length=MAX_NAME_LENGTH), max_length=MAX_ALIASES, required=False)
    archived = serializers.BooleanField(required=False, help_text="Archived people are hidden and not matched.")


class PersonFilterSerializer(serializers.Serializer[Any]):
    """Which people are listed."""

    status = serializers.ChoiceField(choices=PersonState.choices, required=False)
    archived = serializers.BooleanField(required=False, default=False, help_text="true lists archived people, false all others.")


class MergeSerializer(serializers.Serializer[Any]):
    """The duplicate of a person."""

    other = serializers.UUIDField(help_text="Everything of this person moves to the person in the URL, and this person is deleted.")


class UploadUrlSerializer(UploadRequestSerializer):
    """The photo to upload."""

    mime_type = serializers.CharField(max_length=255, help_text="image/jpeg, image/png, image/webp, image/heic or image/heif.")


class UploadUrlAnswerSerializer(UploadTargetSerializer):
    """Where and how to send the bytes of a photo."""

    photo_id = serializers.UUIDField()


class PhotoSerializer(serializers.ModelSerializer[PersonPhoto]):
    """A photo with its state and error."""

    can_retry = serializers.BooleanField(read_only=True, help_text="Whether a retry with the same file may succeed.")
    waits_for = serializers.CharField(
        read_only=True, help_text="The part whose outage stops the processing: storage, model or disk; empty for none."
    )
    thumbnail_url = serializers.CharField(read_only=True, help_text="A signed, expiring URL; empty until the photo is processed.")

    class Meta:
        model = PersonPhoto
        fields = (
            "id",
            "filename",
            "mime_type",
            "size_bytes",
            "state",
            "error_code",
            "error_text",
            "can_retry",
            "waits_for",
            "width",
            "height",
            "thumbnail_url",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields
