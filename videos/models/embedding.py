"""Vectors, and the spaces that keep those of different models apart."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from videos.models.scene import Scene


class EmbeddingSpace(models.Model):
    """The vectors of one channel under one fingerprint; vectors of two spaces are never compared."""

    class Channel(models.TextChoices):
        TRANSCRIPT = "transcript"
        VISUAL = "visual"
        SUMMARY = "summary"
        CLIP = "clip"
        PERSON = "person"
        PERSON_PHOTO = "person_photo"
        PERSON_QUERY = "person_query"

    # What a text is compared with; faces are compared with faces alone.
    SEARCHED_BY_TEXT = (Channel.TRANSCRIPT, Channel.VISUAL, Channel.SUMMARY, Channel.CLIP)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    fingerprint = models.CharField(max_length=64)
    step = models.CharField(max_length=40)
    spec_version = models.CharField(max_length=40, help_text="The spec version under which this space was first filled.")
    embedder = models.JSONField(help_text="Which model made the vectors, and how it is built again; no secrets.")
    dimensions = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    index_began_at = models.DateTimeField(null=True, editable=False, help_text="When its index was begun; nobody else builds it meanwhile.")
    indexed_at = models.DateTimeField(null=True, editable=False, help_text="When its index was finished; empty while it has none.")

    class Meta:
        ordering = ("channel", "-created_at")
        constraints = (models.UniqueConstraint(fields=["channel", "fingerprint"], name="space_channel_fingerprint"),)

    def __str__(self) -> str:
        return f"{self.channel} · {self.embedder.get('model', '?')} · {self.fingerprint[:8]}"


class EmbeddingRow(models.Model):
    """What one subject (a scene, say) has in one space: its vector, or why there is none."""

    class State(models.TextChoices):
        EMBEDDED = "embedded"
        EMPTY = "empty"
        FAILED = "failed"

    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="%(class)ss")
    # A constraint and an index of every table begin with the subject and with the owner; indexes of their own would only slow every write.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=State.choices)
    vector = HalfVectorField(null=True)
    input_hash = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    # Not a foreign key: runs live above this package, and their rows may be tidied away while vectors stay.
    run_id = models.UUIDField(null=True, help_text="The reprocess run that computed it; empty when the ingest did.")
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    @staticmethod
    def vector_iff_embedded(name: str) -> models.CheckConstraint:
        """Return the constraint, under a name of the table's own, that a row has a vector exactly when its state says so."""
        return models.CheckConstraint(condition=models.Q(state="embedded") ^ models.Q(vector__isnull=True), name=name)


class SceneEmbedding(EmbeddingRow):
    """One scene's vector in one space, or why there is none; in the channel `person` it is that of the face that is seen best."""

    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="embeddings", db_index=False)
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="embeddings")

    class Meta(EmbeddingRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["scene", "space"], name="embedding_scene_space"),
            EmbeddingRow.vector_iff_embedded("embedding_vector_iff_embedded"),
        )
        indexes = (models.Index(fields=["owner", "space"], name="embedding_owner_space"),)

    def __str__(self) -> str:
        return f"{self.scene_id} in {self.space_id}: {self.state}"


class RetiredSpace(models.Model):
    """A space that an owner's search read before; its vectors stay until they are purged, so that the switch can be undone."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="retired_for")
    retired_at = models.DateTimeField(default=timezone.now)
    purge_began_at = models.DateTimeField(null=True, editable=False, help_text="From here on there is no way back.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "space"], name="retired_space_owner_space"),)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.space_id} until purged"


class ActiveSpace(models.Model):
    """Which space an owner's search reads for a channel."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=12, choices=EmbeddingSpace.Channel.choices)
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.PROTECT, related_name="active_for")
    activated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "channel"], name="active_space_owner_channel"),)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.channel} → {self.space_id}"
