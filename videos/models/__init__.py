"""Videos, their scenes and jobs, and the vectors that search compares."""

from videos.models.collection import CollectedVideo, Collection, ManualTag, TaggedVideo
from videos.models.embedding import ActiveSpace, EmbeddingRow, EmbeddingSpace, InputHash, RetiredSpace, SceneEmbedding, SceneInput
from videos.models.job import Job, TranscriptChunk
from videos.models.judgment import Judgment
from videos.models.packed import PackedBlock, PackedSpace
from videos.models.query import RecordedQuery, SavedSearch, SearchPreferences
from videos.models.scene import Scene
from videos.models.scene_document import SceneDocument
from videos.models.search_change import SearchChange
from videos.models.video import Video, VideoMetadata
from videos.models.words import OwnerWord, SceneWords, VideoWords

__all__ = [
    "ActiveSpace",
    "CollectedVideo",
    "Collection",
    "EmbeddingRow",
    "EmbeddingSpace",
    "InputHash",
    "Job",
    "Judgment",
    "ManualTag",
    "OwnerWord",
    "PackedBlock",
    "PackedSpace",
    "RecordedQuery",
    "RetiredSpace",
    "SavedSearch",
    "Scene",
    "SceneDocument",
    "SceneEmbedding",
    "SceneInput",
    "SceneWords",
    "SearchChange",
    "SearchPreferences",
    "TaggedVideo",
    "TranscriptChunk",
    "Video",
    "VideoMetadata",
    "VideoWords",
]
