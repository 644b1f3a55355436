"""The input hashes and the vectors of photos and people."""

from django.db import models

from people.models.person import Person
from people.models.photo import PersonPhoto
from videos.models.embedding import EmbeddingRow, InputHash


class PhotoEmbedding(EmbeddingRow):
    """The vector of a photo's face in one space, or the reason why it has none."""

    photo = models.ForeignKey(PersonPhoto, on_delete=models.CASCADE, related_name="embeddings", db_index=False)

    class Meta(EmbeddingRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["photo", "space"], name="photo_embedding_photo_space"),
            EmbeddingRow.build_vector_constraint("photo_embedding_vector_iff_embedded"),
        )
        indexes = (models.Index(fields=["owner", "space"], name="photo_embedding_owner_space"),)

    def __str__(self) -> str:
        return f"{self.photo_id} in {self.space_id}: {self.state}"


class QueryEmbedding(EmbeddingRow):
    """The query vector of a person in one space: the normalized mean of the vectors of the person's READY photos."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="embeddings", db_index=False)

    class Meta(EmbeddingRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["person", "space"], name="query_embedding_person_space"),
            EmbeddingRow.build_vector_constraint("query_embedding_vector_iff_embedded"),
        )
        indexes = (models.Index(fields=["owner", "space"], name="query_embedding_owner_space"),)

    def __str__(self) -> str:
        return f"{self.person_id} in {self.space_id}: {self.state}"


class PhotoInput(InputHash):
    """The hash of one channel's current input for one photo."""

    photo = models.ForeignKey(PersonPhoto, on_delete=models.CASCADE, related_name="inputs", db_index=False)

    class Meta(InputHash.Meta):
        constraints = (models.UniqueConstraint(fields=["photo", "channel"], name="photo_input_photo_channel"),)
        indexes = (models.Index(fields=["owner", "channel"], name="photo_input_owner_channel"),)


class PersonInput(InputHash):
    """The hash of one channel's current input for one person."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="inputs", db_index=False)

    class Meta(InputHash.Meta):
        constraints = (models.UniqueConstraint(fields=["person", "channel"], name="person_input_person_channel"),)
        indexes = (models.Index(fields=["owner", "channel"], name="person_input_owner_channel"),)
