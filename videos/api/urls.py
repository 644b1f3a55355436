"""URLs under /v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from videos.api.judgments import JudgmentViewSet
from videos.api.queries import RecordedQueriesView, RecordedQueryViewSet
from videos.api.search import SearchView
from videos.api.transcripts import JsonView, SubRipView, TranscriptView, WebVttView
from videos.api.uploads import CompleteUploadView, InitUploadView, VideoUploadUrlView
from videos.api.videos import VideoViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("videos", VideoViewSet, basename="video")
router.register("judgments", JudgmentViewSet, basename="judgment")
router.register("queries", RecordedQueryViewSet, basename="query")

urlpatterns = [
    path("videos/upload/init", InitUploadView.as_view(), name="upload-init"),
    path("videos/upload/complete", CompleteUploadView.as_view(), name="upload-complete"),
    path("videos/<uuid:pk>/upload-url", VideoUploadUrlView.as_view(), name="video-upload-url"),
    path("videos/<uuid:pk>/scenes/<uuid:scene_id>/transcript", TranscriptView.as_view(), name="scene-transcript"),
    path("videos/<uuid:pk>/transcript.srt", SubRipView.as_view(), name="transcript-srt"),
    path("videos/<uuid:pk>/transcript.vtt", WebVttView.as_view(), name="transcript-vtt"),
    path("videos/<uuid:pk>/transcript.json", JsonView.as_view(), name="transcript-json"),
    path("search", SearchView.as_view(), name="search"),
    path("queries", RecordedQueriesView.as_view(), name="queries"),
    *router.urls,
]
