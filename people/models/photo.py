"""A photo of a person, from the start of its upload to its removal."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from heimdex.fields import ErrorTextField
from heimdex.leases import LeasedModel
from heimdex.outages.models import WaitingModel
from heimdex.storage import sign_url
from people.errors import NOT_RETRYABLE
from people.models.person import Person


class PersonPhoto(LeasedModel, WaitingModel):
    """One photo, its state, and the lease of the worker that processes it."""

    class State(models.TextChoices):
        # The client has an upload URL and has not completed the upload.
        UPLOADING = "uploading"
        UPLOADED = "uploaded"
        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    # From, to, and when. docs/reference/diagrams.md shows them.
    TRANSITIONS = (
        (State.UPLOADING, State.UPLOADED, "upload completed"),
        (State.UPLOADED, State.PROCESSING, "worker acquires the lease"),
        (State.PROCESSING, State.READY, "face found"),
        (State.PROCESSING, State.UPLOADED, "worker lost, or outage"),
        (State.PROCESSING, State.FAILED, "photo rejected, or last attempt failed"),
        (State.FAILED, State.UPLOADED, "owner or operator retries"),
        (State.FAILED, State.READY, "another model finds the face"),
        (State.READY, State.FAILED, "another model rejects the photo"),
    )

    IN_PROGRESS = (State.UPLOADED, State.PROCESSING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="photos")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    filed_under = models.UUIDField(
        null=True, editable=False, help_text="The person whose id is in the storage keys, if a merge moved the photo."
    )
    filename = models.CharField(max_length=1024)
    mime_type = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADING)
    error_code = models.CharField(max_length=40, blank=True)
    error_text = ErrorTextField(blank=True)
    width = models.PositiveIntegerField(null=True, help_text="Of the normalized copy.")
    height = models.PositiveIntegerField(null=True)
    checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the uploaded bytes.")
    image_hash = models.CharField(max_length=64, blank=True, editable=False, help_text="Hash of the normalized copy; empty without one.")
    woken_at = models.DateTimeField(null=True, editable=False, help_text="When a task was last queued for it.")
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
        """Return the prefix of this photo's storage keys. No other file has it."""
        return f"owners/{self.owner_id}/persons/{self.filed_under or self.person_id}/photos/{self.pk}"

    @property
    def upload_key(self) -> str:
        """Return the key that the client uploads to. Files under it are never decoded."""
        return f"{self.storage_prefix}/upload"

    @property
    def original_key(self) -> str:
        """Return the key of the uploaded file, which is deleted once the normalized copy exists."""
        return f"{self.storage_prefix}/original"

    @property
    def image_key(self) -> str:
        """Return the key of the normalized copy: upright and without metadata such as the location."""
        return f"{self.storage_prefix}/photo.jpg"

    @property
    def thumbnail_key(self) -> str:
        """Return the key of the thumbnail."""
        return f"{self.storage_prefix}/thumbnail.jpg"

    @property
    def is_in_progress(self) -> bool:
        """Return whether the photo waits for a worker or is being processed."""
        return self.state in self.IN_PROGRESS

    @property
    def can_retry(self) -> bool:
        """Return whether the photo failed and a retry with the same file may succeed."""
        return self.state == self.State.FAILED and self.error_code not in NOT_RETRYABLE

    @property
    def thumbnail_url(self) -> str:
        """Return a signed URL of the thumbnail, or an empty string without a normalized copy."""
        return sign_url(self.thumbnail_key) if self.image_hash else ""
