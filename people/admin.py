"""The read-only admin pages of people. They show no images."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from heimdex.admin import ReadOnly
from people.actions.photos import retry_failed_photos
from people.models import Person, PersonPhoto
from people.status import PersonStatus, annotate_status


class PhotoInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The photos of a person with their states and errors."""

    model = PersonPhoto
    fields = ("filename", "state", "error_code", "error_text", "attempts", "size_bytes", "created_at")
    readonly_fields = fields
    extra = 0


@admin.register(Person)
class PersonAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The people of all owners."""

    actions: list[Any] = []
    list_display = ("name", "owner", "status", "photo_count", "failed_count", "archived_at", "created_at")
    list_select_related = ("owner",)
    list_per_page = 50
    search_fields = ("name", "owner__email", "id")
    fields = ("id", "owner", "name", "aliases", "status", "archived_at", "created_at", "updated_at")
    readonly_fields = fields
    inlines = (PhotoInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        """Return all people with their status."""
        return annotate_status(super().get_queryset(request))

    @admin.display(ordering="status")
    def status(self, person: Person) -> str:
        """Return the label of the person's state."""
        return str(PersonStatus.of(person).state.label)

    @admin.display(description="photos", ordering="photo_count")
    def photo_count(self, person: Person) -> int:
        """Return the number of photos."""
        return PersonStatus.of(person).photo_count

    @admin.display(description="failed", ordering="failed_count")
    def failed_count(self, person: Person) -> int:
        """Return the number of failed photos."""
        return PersonStatus.of(person).failed_count


@admin.action(description="Retry failed photos", permissions=["retry"])
def retry_photos(modeladmin: Any, request: HttpRequest, queryset: QuerySet[PersonPhoto]) -> None:
    """Queue the failed ones of the selected photos again."""
    retried, left_out = retry_failed_photos(queryset)
    messages.success(request, f"Retrying {retried} failed photo(s).")
    if left_out:
        messages.warning(request, f"{left_out} photo(s) were left out: a retry with the same file cannot succeed.")


@admin.register(PersonPhoto)
class PersonPhotoAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The photos of all people with their states and errors."""

    actions: list[Any] = [retry_photos]
    list_display = ("filename", "person", "owner", "state", "error_code", "attempts", "created_at")
    list_filter = ("state", "error_code")
    list_select_related = ("person", "owner")
    list_per_page = 50
    search_fields = ("filename", "person__name", "owner__email", "id")
    fields = (
        "id",
        "person",
        "owner",
        "filename",
        "mime_type",
        "size_bytes",
        "state",
        "error_code",
        "error_text",
        "attempts",
        "woken_at",
        "lease_expires_at",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may retry photos: any staff member, as for videos."""
        return bool(request.user.is_active and request.user.is_staff)
