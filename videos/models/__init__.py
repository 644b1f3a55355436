"""The rows of videos: what was uploaded, what was understood, and the vectors that make it findable."""

from videos.models.embedding import ActiveSpace, EmbeddingRow, EmbeddingSpace, RetiredSpace, SceneEmbedding
from videos.models.heard import HeardStretch
from videos.models.job import Job
from videos.models.query import RecordedQuery
from videos.models.scene import Scene
from videos.models.video import Video, VideoMetadata

__all__ = [
    "ActiveSpace",
    "EmbeddingRow",
    "EmbeddingSpace",
    "HeardStretch",
    "Job",
    "RecordedQuery",
    "RetiredSpace",
    "Scene",
    "SceneEmbedding",
    "Video",
    "VideoMetadata",
]
