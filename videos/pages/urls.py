"""URLs of the pages."""

from django.urls import path

from videos.pages.judgments import judge_page
from videos.pages.library import library
from videos.pages.search import search_page
from videos.pages.transcript import transcript_page
from videos.pages.video import delete, retry, video_page

urlpatterns = [
    path("", library, name="library"),
    path("search/", search_page, name="search-page"),
    path("search/judge/", judge_page, name="judge-page"),
    path("videos/<uuid:video_id>/", video_page, name="video-page"),
    path("videos/<uuid:video_id>/retry/", retry, name="video-page-retry"),
    path("videos/<uuid:video_id>/scenes/<uuid:scene_id>/transcript/", transcript_page, name="scene-transcript-page"),
    path("videos/<uuid:video_id>/delete/", delete, name="video-page-delete"),
]
