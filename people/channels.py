"""The channels of faces and people, and the sources of their inputs."""

from videos.channels import PERSON, Source

__all__ = ["PERSON", "PERSON_PHOTO", "PERSON_QUERY", "PHOTO", "READY_PHOTOS"]

PERSON_PHOTO = "person_photo"
PERSON_QUERY = "person_query"

PHOTO = Source("image_hash", "files")
# Not a field: no field of a person tells a plan whether READY photos exist.
READY_PHOTOS = Source("", "other")
