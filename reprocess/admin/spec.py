"""The admin page of the embedding spec: its steps, its spaces, and the coverage of owners."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from heimdex.admin import ReadOnly
from reprocess.models import EmbeddingSpec
from reprocess.reports.owner_coverage import measure_owner_coverage, select_owners_with_targets
from reprocess.reports.spec_overview import summarize_spec

OWNERS_PER_PAGE = 25


class EmbeddingSpecAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The recorded specs. Instead of their list, the page shows the latest spec."""

    list_display = ("version", "digest", "first_used_at")
    fields = ("version", "digest", "first_used_at", "definition")
    readonly_fields = fields

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Allow every staff member, because every staff member may start a run."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow every staff member."""
        return self.has_module_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the latest spec. Raise PermissionDenied for users who are not staff."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        query = request.GET.get("q", "").strip()
        owners = select_owners_with_targets()
        if query:
            owners = owners.filter(email__icontains=query)
        page = Paginator(owners, OWNERS_PER_PAGE).get_page(request.GET.get("p"))
        overview = summarize_spec()
        context = {
            **self.admin_site.each_context(request),
            "title": "Embedding spec",
            "opts": self.model._meta,
            "overview": overview,
            "page": page,
            "owners": measure_owner_coverage(list(page.object_list), overview),
            "query": query,
            "recorded": EmbeddingSpec.objects.only("digest", "version", "first_used_at")[:20],
        }
        return TemplateResponse(request, "admin/reprocess/spec.html", context)
