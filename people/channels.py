"""The channels of faces and people, and the sources of their inputs."""

from videos.channels import PERSON, Source

__all__ = ["PERSON", "PERSON_PHOTO", "PERSON_QUERY", "PHOTO", "READY_PHOTOS"]

PERSON_PHOTO = "person_photo"
PERSON_QUERY = "person_query"

PHOTO = Source("image_hash", "files")
# A plan cannot tell from one field of a person whether there are READY photos.
READY_PHOTOS = Source("", "other")
