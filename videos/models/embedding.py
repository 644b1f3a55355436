"""Vectors, the spaces that separate the vectors of different models, and hashes of what each channel would embed now."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from heimdex.fields import ErrorTextField
from videos.models.scene import Scene

CHANNEL_LENGTH = 40


class InputHash(models.Model):
    """The hash of one channel's current input for one target; empty when there is nothing to embed.

    A plan compares it with the hash that is stored with the vector. A target without a row has not been hashed yet, because its channel is
    new.
    """

    # Each table has a constraint that starts with the target and an index that starts with the owner.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.CharField(max_length=CHANNEL_LENGTH)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.channel}: {self.hash[:8] or 'nothing to embed'}"


class SceneInput(InputHash):
    """The hash of one channel's current input for one scene."""

    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="inputs", db_index=False)

    class Meta(InputHash.Meta):
        constraints = (models.UniqueConstraint(fields=["scene", "channel"], name="scene_input_scene_channel"),)
        indexes = (models.Index(fields=["owner", "channel"], name="scene_input_owner_channel"),)


class EmbeddingSpace(models.Model):
    """The vectors of one channel under one fingerprint. Vectors of two spaces are never compared."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=CHANNEL_LENGTH)
    fingerprint = models.CharField(max_length=64)
    step = models.CharField(max_length=40)
    spec_version = models.CharField(max_length=40, help_text="The spec version under which this space was first filled.")
    embedder = models.JSONField(help_text="The model that computed the vectors, and how to load it. Contains no secrets.")
    dimensions = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    packing_checked_to = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="Highest id of a vector that the packing of large libraries has considered."
    )

    class Meta:
        ordering = ("channel", "-created_at")
        constraints = (models.UniqueConstraint(fields=["channel", "fingerprint"], name="space_channel_fingerprint"),)

    def __str__(self) -> str:
        return f"{self.channel} · {self.embedder.get('model', '?')} · {self.fingerprint[:8]}"


class EmbeddingRow(models.Model):
    """The vector of one target (a scene, for example) in one space, or the reason why it has none."""

    class State(models.TextChoices):
        EMBEDDED = "embedded"
        EMPTY = "empty"
        FAILED = "failed"

    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="%(class)ss")
    # A constraint and an index of every table start with the target and the owner. Further indexes would slow every write.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=State.choices)
    vector = HalfVectorField(null=True)
    input_hash = models.CharField(max_length=64, blank=True)
    error = ErrorTextField(blank=True)
    # Not a foreign key: runs belong to a package above this one, and their rows may be deleted while the vectors stay.
    run_id = models.UUIDField(null=True, help_text="The reprocess run that computed it; empty when the ingest did.")
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    @staticmethod
    def build_vector_constraint(name: str) -> models.CheckConstraint:
        """Build the constraint that a row has a vector exactly when its state is `embedded`. Every table needs its own `name`."""
        return models.CheckConstraint(condition=models.Q(state="embedded") ^ models.Q(vector__isnull=True), name=name)


class SceneEmbedding(EmbeddingRow):
    """A scene's vector in one space. In the channel `person` it is the vector of the best view of a face."""

    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="embeddings", db_index=False)
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="embeddings")

    class Meta(EmbeddingRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["scene", "space"], name="embedding_scene_space"),
            EmbeddingRow.build_vector_constraint("embedding_vector_iff_embedded"),
        )
        indexes = (models.Index(fields=["owner", "space", "id"], name="embedding_owner_space_id"),)

    def __str__(self) -> str:
        return f"{self.scene_id} in {self.space_id}: {self.state}"


class RetiredSpace(models.Model):
    """A space that an owner's search read earlier. Its vectors stay until they are purged, so that the switch can be rolled back."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="retired_for")
    retired_at = models.DateTimeField(default=timezone.now)
    purge_began_at = models.DateTimeField(
        null=True, editable=False, help_text="When the purge started. From then on, a rollback is impossible."
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "space"], name="retired_space_owner_space"),)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.space_id} until purged"


class ActiveSpace(models.Model):
    """The space that an owner's search reads for a channel."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=CHANNEL_LENGTH)
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.PROTECT, related_name="active_for")
    activated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "channel"], name="active_space_owner_channel"),)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.channel} → {self.space_id}"
