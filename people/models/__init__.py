"""The rows of people: who they are, their photos, and the faces that were seen in scenes."""

from people.models.embedding import PhotoEmbedding, QueryEmbedding
from people.models.face import FaceGroup, FaceMatch, FaceRuling, SceneFace
from people.models.person import Person
from people.models.photo import PersonPhoto
from people.models.renewal import RenewalWanted

__all__ = [
    "FaceGroup",
    "FaceMatch",
    "FaceRuling",
    "Person",
    "PersonPhoto",
    "PhotoEmbedding",
    "QueryEmbedding",
    "RenewalWanted",
    "SceneFace",
]
