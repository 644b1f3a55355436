"""What the search index in OpenSearch holds, as this database knows it: one row per scene."""

from django.db import models

from videos.models.words import SceneWords


class SceneDocument(models.Model):
    """The document of a scene's words: the index that has it, the texts that it was made from, and when it was written.

    It is written in the transaction that takes the change from the outbox. So what an index lacks is a join, and neither a plan nor a
    report reads the index. Only `search_index verify` does, which finds what others have changed there.
    """

    # Without a constraint: rows of words are deleted without a look at this table, and their documents with the change that follows.
    words = models.OneToOneField(SceneWords, on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="document")
    index = models.CharField(max_length=255, help_text="Name of the index; while another one is built, of that one.")
    text_hash = models.CharField(max_length=32, help_text="That of the words when they were sent.")
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("words",)

    def __str__(self) -> str:
        return f"document of scene {self.pk} in {self.index}"
