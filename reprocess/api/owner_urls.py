"""URLs under /v1/ that owners use."""

from django.urls import path

from reprocess.api.faces import FaceSwitchView
from reprocess.api.search_data import CancelReprocessView, VideoReprocessView

urlpatterns = [
    path("faces", FaceSwitchView.as_view(), name="face-switch"),
    path("videos/<uuid:pk>/reprocess", VideoReprocessView.as_view(), name="video-reprocess"),
    path("videos/<uuid:pk>/reprocess/cancel", CancelReprocessView.as_view(), name="video-reprocess-cancel"),
]
