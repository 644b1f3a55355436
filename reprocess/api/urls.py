"""URLs under /v1/: those that owners use, and those under admin/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from reprocess.api.cutovers import CutoverViewSet
from reprocess.api.faces import FaceSwitchView
from reprocess.api.runs import PlanView, ReprocessView, RunViewSet, TrialView
from reprocess.api.search_index import CancelReprocessView, VideoReprocessView

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("reprocess-runs", RunViewSet, basename="reprocess-run")
router.register("cutovers", CutoverViewSet, basename="cutover")

_ADMIN_URLS = [
    path("reprocess-embeddings", ReprocessView.as_view(), name="reprocess-embeddings"),
    path("reprocess-embeddings/plan", PlanView.as_view(), name="reprocess-plan"),
    path("reprocess-embeddings/trial", TrialView.as_view(), name="reprocess-trial"),
    *router.urls,
]
urlpatterns = [
    path("faces", FaceSwitchView.as_view(), name="face-switch"),
    path("videos/<uuid:pk>/reprocess", VideoReprocessView.as_view(), name="video-reprocess"),
    path("videos/<uuid:pk>/reprocess/cancel", CancelReprocessView.as_view(), name="video-reprocess-cancel"),
    path("admin/", include(_ADMIN_URLS)),
]
