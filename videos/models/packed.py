"""The vectors of large libraries, compressed and side by side, so that a search reads few bytes of each."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from videos.models.embedding import EmbeddingSpace


class PackedSpace(models.Model):
    """The codes of one owner's vectors in one space: of all rows up to `packed_to`. Vectors that were replaced or deleted keep theirs."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="+")
    center = models.BinaryField(help_text="What the vectors are relative to: float32, little-endian.")
    packed_to = models.BigIntegerField(default=0, help_text="Highest id of a vector's row that is packed.")
    count = models.PositiveIntegerField(default=0, help_text="Number of vectors with a code, replaced and deleted ones included.")
    packed_at = models.DateTimeField(default=timezone.now)
    is_active = models.BooleanField(default=False, help_text="Searches use it. The other one of the space is being built.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "space", "is_active"], name="packed_space_owner_space"),)

    def __str__(self) -> str:
        return f"{self.count} codes of {self.owner_id} in {self.space_id}"


class PackedBlock(models.Model):
    """Some thousand codes of a packed space, in the order of `number`, with the ids of the vectors' rows."""

    packed = models.ForeignKey(PackedSpace, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    number = models.PositiveIntegerField()
    row_ids = models.BinaryField(help_text="int64, little-endian, ascending.")
    codes = models.BinaryField(help_text="64-bit words, little-endian: the first of each code, then the second, and so on.")
    scales = models.BinaryField(help_text="float16, little-endian.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["packed", "number"], name="packed_block_number"),)

    def __str__(self) -> str:
        return f"block {self.number} of {self.packed_id}"
