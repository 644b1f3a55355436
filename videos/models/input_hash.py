"""Input hashes: what each channel would embed now."""

from django.conf import settings
from django.db import models

from videos.models.scene import Scene

CHANNEL_LENGTH = 40


class InputHash(models.Model):
    """The hash of one channel's current input for one target; an empty hash means that there is nothing to embed.

    A plan compares it with the hash that is stored with the vector. A target without a row has not been hashed yet: its channel is new.
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
