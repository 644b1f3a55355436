"""The rows of videos: what was uploaded, what was understood, and the vectors that make it findable."""

from videos.models.embedding import ActiveSpace, EmbeddingSpace, SceneEmbedding
from videos.models.job import Job
from videos.models.scene import Scene
from videos.models.video import Video, VideoMetadata

__all__ = ["ActiveSpace", "EmbeddingSpace", "Job", "Scene", "SceneEmbedding", "Video", "VideoMetadata"]
