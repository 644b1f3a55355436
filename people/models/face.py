"""Faces in scenes, the persons they match, and the labels that owners give them."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from heimdex.storage import sign_url
from people.models.person import Person
from videos.models import EmbeddingSpace, Scene, Video


class FaceGroup(models.Model):
    """Faces of one space that look like one person, named or not. `vector` is their normalized mean."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="+")
    vector = HalfVectorField()
    size = models.PositiveIntegerField(help_text="Number of faces in the group.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-size", "id")
        indexes = (models.Index(fields=["owner", "space", "-size"], name="group_owner_space_size"),)

    def __str__(self) -> str:
        return f"{self.size} faces"


class BoxFields(models.Model):
    """The box of a face, in fractions (0 to 1) of the image's width and height."""

    left = models.FloatField()
    top = models.FloatField()
    right = models.FloatField()
    bottom = models.FloatField()

    class Meta:
        abstract = True


class SceneFace(BoxFields):
    """One person's face in one scene, found in one or more keyframes. Box, time and vector come from the best view."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="faces", db_index=False)
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="faces")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="faces")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    time_s = models.FloatField(help_text="Time of the keyframe with the best view.")
    first_s = models.FloatField(help_text="Time of the first keyframe that shows it.")
    last_s = models.FloatField(help_text="Time of the last keyframe that shows it.")
    quality = models.FloatField(help_text="0 to 1")
    side_px = models.PositiveIntegerField(help_text="Shorter side of the face, in pixels of the keyframe.")
    vector = HalfVectorField()
    group = models.ForeignKey(FaceGroup, null=True, on_delete=models.SET_NULL, related_name="faces")

    class Meta:
        ordering = ("scene", "-quality", "id")
        indexes = (
            models.Index(fields=["scene", "space"], name="face_scene_space"),
            models.Index(fields=["owner", "space"], name="face_owner_space"),
            models.Index(fields=["owner", "space"], name="face_ungrouped", condition=models.Q(group__isnull=True)),
        )

    def __str__(self) -> str:
        return f"a face at {self.time_s:.1f} s of {self.video_id}"

    @property
    def thumbnail_key(self) -> str:
        """Return the storage key of the face's image."""
        return f"owners/{self.owner_id}/videos/{self.video_id}/scenes/{self.scene_id}/faces/{self.pk}.jpg"

    @property
    def thumbnail_url(self) -> str:
        """Return a signed URL of the face's image."""
        return sign_url(self.thumbnail_key)


class FaceMatch(models.Model):
    """The person whose face it is, by the query vectors of one space."""

    face = models.ForeignKey(SceneFace, on_delete=models.CASCADE, related_name="matches", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="matches", db_index=False)
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="+", help_text="Space of the person's query vector.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="face_matches")
    probability = models.FloatField(help_text="0 to 1; 1 where the owner has labeled the face.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["face", "space"], name="match_face_space"),)
        indexes = (
            models.Index(fields=["person", "space", "-probability"], name="match_person_space"),
            models.Index(fields=["owner", "space"], name="match_owner_space"),
        )

    def __str__(self) -> str:
        return f"{self.face_id} is {self.person_id} ({self.probability:.0%})"


class FaceLabel(BoxFields):
    """The owner's label of a face: it is this person, or it is not. It marks a place in the video and survives new face detections."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="labels")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    time_s = models.FloatField()
    is_person = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (models.Index(fields=["owner", "video"], name="face_label_owner_video"),)

    def __str__(self) -> str:
        return f"{self.person_id} {'is' if self.is_person else 'is not'} at {self.time_s:.1f} s"
