"""A photo of a person, from the announcement of its upload to its removal."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from people.models.person import Person


class PersonPhoto(models.Model):
    """One photo, its state, and the expiring right (lease) of one worker to look at it."""

    class State(models.TextChoices):
        # An address was given, and nothing has been said to have arrived there.
        UPLOADING = "uploading"
        UPLOADED = "uploaded"
        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    MOVING = (State.UPLOADED, State.PROCESSING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="photos")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    filed_under = models.UUIDField(
        null=True, editable=False, help_text="The person under whose id its files lie, where it came to this one from another."
    )
    filename = models.CharField(max_length=1024)
    mime_type = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADING)
    error_code = models.CharField(max_length=40, blank=True)
    error_text = models.TextField(blank=True)
    width = models.PositiveIntegerField(null=True, help_text="Of the copy that is kept.")
    height = models.PositiveIntegerField(null=True)
    checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the bytes that arrived.")
    person_photo_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Hash of the copy that is looked at; empty while there is none."
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    woken_at = models.DateTimeField(null=True, editable=False, help_text="When a worker was last asked to look at it.")
    upload_expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("person", "created_at", "id")
        indexes = (
            models.Index(fields=["person", "created_at"], name="photo_person_created"),
            models.Index(fields=["owner", "state"], name="photo_owner_state"),
            models.Index(fields=["state", "lease_expires_at"], name="photo_state_lease"),
            models.Index(fields=["lease_token"], name="photo_lease_token", condition=models.Q(lease_token__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.filename}: {self.state}"

    @property
    def storage_prefix(self) -> str:
        """Return the prefix that all files of this photo share, and no other file has."""
        return f"owners/{self.owner_id}/persons/{self.filed_under or self.person_id}/photos/{self.pk}"

    @property
    def upload_key(self) -> str:
        """Return where a client may put bytes; nothing is ever decoded from here."""
        return f"{self.storage_prefix}/upload"

    @property
    def original_key(self) -> str:
        """Return where the bytes lie that arrived, until a clean copy is made of them."""
        return f"{self.storage_prefix}/original"

    @property
    def picture_key(self) -> str:
        """Return where the copy lies that is kept: upright, and without the metadata, position included, that came with the photo."""
        return f"{self.storage_prefix}/photo.jpg"

    @property
    def thumbnail_key(self) -> str:
        """Return where the small picture for lists lies."""
        return f"{self.storage_prefix}/thumbnail.jpg"
