"""The faces that were seen in scenes, whom they belong to, and what their owner has said of that."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from people.models.person import Person
from videos.models import EmbeddingSpace, Scene, Video


class FaceGroup(models.Model):
    """Faces of one space that look like one person, named or not; `vector` is their normalised mean."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="+")
    vector = HalfVectorField()
    size = models.PositiveIntegerField(help_text="The number of faces in it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-size", "id")
        indexes = (models.Index(fields=["owner", "space", "-size"], name="group_owner_space_size"),)

    def __str__(self) -> str:
        return f"{self.size} faces"


class BoxFields(models.Model):
    """Where a face is in a picture, as shares of its width and height."""

    left = models.FloatField()
    top = models.FloatField()
    right = models.FloatField()
    bottom = models.FloatField()

    class Meta:
        abstract = True


class SceneFace(BoxFields):
    """One person's face in one scene, found in one or more of its pictures; box, time and vector are those of the best one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="faces", db_index=False)
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="faces")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="faces")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    time_s = models.FloatField(help_text="Of the picture in which the face is seen best.")
    first_s = models.FloatField(help_text="Of the first picture in which it is seen.")
    last_s = models.FloatField(help_text="Of the last picture in which it is seen.")
    quality = models.FloatField(help_text="0 to 1")
    side_px = models.PositiveIntegerField(help_text="The shorter side of the face in the picture's pixels.")
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
        """Return where the picture of the face lies, among the scene's files."""
        return f"owners/{self.owner_id}/videos/{self.video_id}/scenes/{self.scene_id}/faces/{self.pk}.jpg"


class FaceMatch(models.Model):
    """Whose face it is, by the query vectors of one space."""

    face = models.ForeignKey(SceneFace, on_delete=models.CASCADE, related_name="matches", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="matches", db_index=False)
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="+", help_text="Of the person's query vector.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="face_matches")
    probability = models.FloatField(help_text="That it is this person: 0 to 1, and 1 where the owner has said so.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["face", "space"], name="match_face_space"),)
        indexes = (
            models.Index(fields=["person", "space", "-probability"], name="match_person_space"),
            models.Index(fields=["owner", "space"], name="match_owner_space"),
        )

    def __str__(self) -> str:
        return f"{self.face_id} is {self.person_id} ({self.probability:.0%})"


class FaceRuling(BoxFields):
    """What the owner has said of a face: it is this person, or it is not. It holds for the place, however often faces are found anew."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="rulings")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    time_s = models.FloatField()
    is_person = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (models.Index(fields=["owner", "video"], name="ruling_owner_video"),)

    def __str__(self) -> str:
        return f"{self.person_id} {'is' if self.is_person else 'is not'} at {self.time_s:.1f} s"
