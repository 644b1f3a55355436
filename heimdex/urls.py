"""All URLs of the service."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from heimdex.api_description import DescriptionView
from heimdex.health import healthz, ready
from heimdex.storage.views import serve_media_file

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("health/ready", ready, name="ready"),
    path("admin/", admin.site.urls),
    path("accounts/", include("heimdex.accounts.urls")),
    path("v1/auth/", include("heimdex.accounts.api_urls")),
    path("v1/", include("videos.api.urls")),
    path("v1/", include("people.api.urls")),
    path("v1/", include("reprocess.api.urls")),
    path("v1/files/<str:token>", serve_media_file, name="media-file"),
    path("v1/schema/", DescriptionView.as_view(), name="schema"),
    path("v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("", include("videos.pages.urls")),
    path("people/", include("people.pages.urls")),
    path("", include("reprocess.pages.urls")),
]

handler404 = "heimdex.api.handle_not_found"
handler500 = "heimdex.api.handle_server_error"
