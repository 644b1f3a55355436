"""The tables of people: persons, their photos, faces in scenes, and the owner's labels."""

from people.models.embedding import PersonInput, PhotoEmbedding, PhotoInput, QueryEmbedding
from people.models.face import FaceGroup, FaceLabel, FaceMatch, SceneFace
from people.models.person import PeopleRefreshRequest, Person
from people.models.photo import PersonPhoto

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
