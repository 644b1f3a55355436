"""The tables of people: persons, their photos, faces in scenes, and the owner's labels."""

from people.models.embedding import PhotoEmbedding, QueryEmbedding
from people.models.face import FaceGroup, FaceLabel, FaceMatch, SceneFace
from people.models.input_hash import PersonInput, PhotoInput
from people.models.person import Person
from people.models.photo import PersonPhoto
from people.models.refresh_request import PeopleRefreshRequest

__all__ = [
    "FaceGroup",
    "FaceLabel",
    "FaceMatch",
    "PeopleRefreshRequest",
    "Person",
    "PersonInput",
    "PersonPhoto",
    "PhotoEmbedding",
    "PhotoInput",
    "QueryEmbedding",
    "SceneFace",
]
