"""URLs under /v1/admin/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from reprocess.api.cutovers import CutoverViewSet
from reprocess.api.runs import PlanView, ReprocessView, RunViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("reprocess-runs", RunViewSet, basename="reprocess-run")
router.register("cutovers", CutoverViewSet, basename="cutover")

urlpatterns = [
    path("reprocess-embeddings", ReprocessView.as_view(), name="reprocess-embeddings"),
    path("reprocess-embeddings/plan", PlanView.as_view(), name="reprocess-plan"),
    *router.urls,
]
