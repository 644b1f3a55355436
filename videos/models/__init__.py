"""Videos, their scenes and jobs, and the vectors that search compares."""

from videos.models.embedding import ActiveSpace, EmbeddingRow, EmbeddingSpace, InputHash, RetiredSpace, SceneEmbedding, SceneInput
from videos.models.job import Job, TranscriptChunk
from videos.models.judgment import Judgment
from videos.models.query import RecordedQuery
from videos.models.scene import Scene
from videos.models.video import Video, VideoMetadata

__all__ = [
    "ActiveSpace",
    "EmbeddingRow",
    "EmbeddingSpace",
    "InputHash",
    "Job",
    "Judgment",
    "RecordedQuery",
    "RetiredSpace",
    "Scene",
    "SceneEmbedding",
    "SceneInput",
    "TranscriptChunk",
    "Video",
    "VideoMetadata",
]
