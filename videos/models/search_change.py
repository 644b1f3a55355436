"""The outbox of the search index: scenes whose documents in OpenSearch have to follow their words in the database."""

from django.db import models
from django.utils import timezone

from heimdex.fields import ErrorTextField


class SearchChange(models.Model):
    """The words of a scene were written or deleted. The change is sent to OpenSearch later; which words the scene has now is read then.

    Ids of one scene rise in the order of its changes, because they are taken while the rows of its words are locked. They are the versions
    of documents, so that a late request never replaces a newer document. Scene and owner may be deleted before the change is sent.
    """

    id = models.BigAutoField(primary_key=True)
    scene_id = models.UUIDField(db_index=True)
    owner_id = models.UUIDField(db_index=True, help_text="The owner whose document it is.")
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often OpenSearch has refused this document alone.")
    tries_at = models.DateTimeField(default=timezone.now, help_text="Not to be sent before.")
    is_dead = models.BooleanField(default=False, help_text="Not to be sent again.")
    error = ErrorTextField(blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"change {self.pk} of scene {self.scene_id}"
