"""Videos, their scenes and jobs, and the vectors that search compares."""

from videos.models.embedding import ActiveSpace, EmbeddingRow, EmbeddingSpace, RetiredSpace, SceneEmbedding
from videos.models.input_hash import InputHash, SceneInput
from videos.models.job import Job
from videos.models.query import RecordedQuery
from videos.models.scene import Scene
from videos.models.transcript_chunk import TranscriptChunk
from videos.models.video import Video, VideoMetadata

__all__ = [
    "ActiveSpace",
    "EmbeddingRow",
    "EmbeddingSpace",
    "InputHash",
    "Job",
    "RecordedQuery",
    "RetiredSpace",
    "Scene",
    "SceneEmbedding",
    "SceneInput",
    "TranscriptChunk",
    "Video",
    "VideoMetadata",
]
