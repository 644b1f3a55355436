"""What the API takes and shows of people and their photos."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from heimdex.storage import media_storage
from people.models import Person, PersonPhoto
from people.names import LONGEST_NAME, MOST_ALIASES
from people.photos.errors import HOPELESS
from people.standing import Status, portrait_of


class PersonSerializer(serializers.ModelSerializer[Person]):
    """A person, as `with_standing` and `with_portrait` have found them."""

    archived = serializers.BooleanField(source="is_archived", read_only=True)
    status = serializers.ChoiceField(choices=Status.choices, read_only=True)
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
        """Return a signed, expiring address of the first READY photo's small picture; empty when there is none."""
        portrait = portrait_of(person)
        return thumbnail_url(portrait) if portrait else ""


class NewPersonSerializer(serializers.Serializer[Any]):
    """A person to add."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    aliases = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_NAME), max_length=MOST_ALIASES, required=False, default=list
    )


class PersonChangesSerializer(serializers.Serializer[Any]):
    """What may be changed of a person; what is left out stays."""

    name = serializers.CharField(max_length=LONGEST_NAME, required=False)
    aliases = serializers.ListField(child=serializers.CharField(max_length=LONGEST_NAME), max_length=MOST_ALIASES, required=False)
    archived = serializers.BooleanField(required=False, help_text="Whether the person is neither looked for nor listed.")


class PersonFilterSerializer(serializers.Serializer[Any]):
    """Which people are listed."""

    status = serializers.ChoiceField(choices=Status.choices, required=False)
    archived = serializers.BooleanField(
        required=False, default=False, help_text="Whether those that are archived are listed, or the others."
    )


class MergeSerializer(serializers.Serializer[Any]):
    """Whom a person is the same as."""

    other = serializers.UUIDField(help_text="Gives everything to the person of the address, and is then gone.")


class UploadUrlSerializer(serializers.Serializer[Any]):
    """The announcement of a photo."""

    filename = serializers.CharField(max_length=1024)
    mime_type = serializers.CharField(max_length=255, help_text="image/jpeg, image/png, image/webp, image/heic or image/heif.")
    size_bytes = serializers.IntegerField(min_value=0)


class UploadUrlAnswerSerializer(serializers.Serializer[Any]):
    """Where and how to send the bytes of a photo."""

    photo_id = serializers.UUIDField()
    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()


class PhotoSerializer(serializers.ModelSerializer[PersonPhoto]):
    """A photo and where it stands."""

    can_retry = serializers.SerializerMethodField(help_text="Whether another try with the same file may succeed.")
    thumbnail_url = serializers.SerializerMethodField()

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
            "width",
            "height",
            "thumbnail_url",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_can_retry(self, photo: PersonPhoto) -> bool:
        """Return whether `retry` is taken."""
        return can_retry(photo)

    def get_thumbnail_url(self, photo: PersonPhoto) -> str:
        """Return a signed, expiring address of the small picture; empty until there is one."""
        return thumbnail_url(photo)


def can_retry(photo: PersonPhoto) -> bool:
    """Say whether another try with a failed photo's file may succeed."""
    return photo.state == PersonPhoto.State.FAILED and photo.error_code not in HOPELESS


def thumbnail_url(photo: PersonPhoto) -> str:
    """Return a signed, expiring address of a photo's small picture; empty until there is one."""
    return media_storage().download_url(photo.thumbnail_key, settings.LINK_TTL_SECONDS) if photo.person_photo_hash else ""
