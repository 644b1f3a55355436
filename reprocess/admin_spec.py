"""The admin page of the embedding spec: its steps, its spaces, and a page of owners with their coverage."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from heimdex.admin import ReadOnly
from reprocess.models import EmbeddingSpec
from reprocess.overview import spec_overview
from reprocess.overview_owners import owner_coverage, owners_with_scenes

OWNERS_PER_PAGE = 25


class EmbeddingSpecAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The specs that were used; their list is the overview of the latest."""

    list_display = ("version", "digest", "first_used_at")
    fields = ("version", "digest", "first_used_at", "definition")
    readonly_fields = fields

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Let every member of staff see it, as runs may be started by every one."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let every member of staff see it."""
        return self.has_module_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the overview instead of a list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("q", "").strip()
        owners = owners_with_scenes()
        if asked:
            owners = owners.filter(email__icontains=asked)
        page = Paginator(owners, OWNERS_PER_PAGE).get_page(request.GET.get("p"))
        overview = spec_overview()
        context = {
            **self.admin_site.each_context(request),
            "title": "Embedding spec",
            "opts": self.model._meta,
            "overview": overview,
            "page": page,
            "owners": owner_coverage(list(page.object_list), overview),
            "asked": asked,
            "recorded": EmbeddingSpec.objects.only("digest", "version", "first_used_at")[:20],
        }
        return TemplateResponse(request, "admin/reprocess/spec.html", context)
