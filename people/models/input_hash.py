"""Input hashes of photos and people, as those of scenes are stored."""

from django.db import models

from people.models.person import Person
from people.models.photo import PersonPhoto
from videos.models.input_hash import InputHash


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
