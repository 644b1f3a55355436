"""The pages of the owner's people: the list, and one person with names, photos and faces."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from heimdex.accounts.owner import get_owner
from heimdex.errors import Refused
from heimdex.uploads.uploader import Uploader
from people.actions.persons import add_person, edit_person
from people.actions.photos import PHOTO_TYPES
from people.face_settings import build_face_settings_context
from people.models import Person, PersonPhoto
from people.names import MAX_NAME_LENGTH
from people.pages.cards import build_face_card, build_person_card, build_photo_card
from people.queries import find_person_matches, prefetch_portraits
from people.status import PersonStatus, annotate_status

PER_PAGE = 48
# The page suggests more photos until the person has this many.
RECOMMENDED_PHOTOS = 3
MAX_FACES = 24


class AddPersonForm(forms.Form):
    """The name of a new person."""

    name = forms.CharField(max_length=MAX_NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"}))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def people_page(request: HttpRequest) -> HttpResponse:
    """Show one page of the owner's people, or of the archived ones (`?archived=1`). Add a person on POST."""
    owner = get_owner(request)
    form = AddPersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            person = add_person(owner, form.cleaned_data["name"])
        except Refused as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"Added {person.name}. Now add photos.")
            return redirect("person-page", person_id=person.pk)
    archived = request.GET.get("archived") == "1"
    people = prefetch_portraits(annotate_status(Person.objects.filter(owner=owner, archived_at__isnull=not archived)))
    page = Paginator(people, PER_PAGE).get_page(request.GET.get("page"))
    has_archived = archived or Person.objects.filter(owner=owner, archived_at__isnull=False).exists()
    context = {
        "form": form,
        "page": page,
        "cards": [build_person_card(person) for person in page],
        "archived": archived,
        "has_archived": has_archived,
        **build_face_settings_context(owner),
    }
    return render(request, "people/people.html", context, status=400 if form.errors else 200)


class PersonForm(forms.Form):
    """The name of a person and the other names, one per line."""

    name = forms.CharField(max_length=MAX_NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    aliases = forms.CharField(
        required=False,
        label="Other names",
        help_text="One per line: a nickname, or the name in another script.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_aliases(self) -> list[str]:
        """Return one name for each line that is not empty."""
        return [line for line in self.cleaned_data["aliases"].splitlines() if line.strip()]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def person_page(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show a person. Save the names on POST."""
    owner = get_owner(request)
    person = get_object_or_404(annotate_status(Person.objects.filter(owner=owner)), pk=person_id)
    initial = {"name": person.name, "aliases": "\n".join(person.aliases)}
    form = PersonForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            edit_person(owner, person_id, name=form.cleaned_data["name"], aliases=form.cleaned_data["aliases"])
        except Refused as error:
            form.add_error(error.field or None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("person-page", person_id=person.pk)
    # The browser that uploads a photo shows its progress itself.
    photos = PersonPhoto.objects.filter(person=person).exclude(state=PersonPhoto.State.UPLOADING).order_by("created_at", "pk")
    cards = [build_photo_card(photo, number) for number, photo in enumerate(photos, start=1)]
    status, face_settings = PersonStatus.of(person), build_face_settings_context(owner)
    matches = find_person_matches(person)
    context = {
        "person": person,
        "status": status,
        "more_photos": max(RECOMMENDED_PHOTOS - status.ready_count, 0) if status.ready_count else 0,
        "form": form,
        "photos": cards,
        "uploader": _build_uploader(person_id),
        **face_settings,
        "can_add_photos": len(cards) < settings.MAX_PHOTOS and not person.is_archived and not face_settings["no_faces"],
        "max_photos": settings.MAX_PHOTOS,
        "faces": [(build_face_card(match.face), match.probability) for match in matches[:MAX_FACES]],
        "scene_count": matches.aggregate(scenes=Count("scene", distinct=True))["scenes"],
        "has_others": Person.objects.filter(owner=owner).exclude(pk=person_id).exists(),
        "quoted_name": f'"{person.name}"',
    }
    return render(request, "people/person.html", context, status=400 if form.errors else 200)


def _build_uploader(person_id: UUID) -> Uploader:
    photos_url = reverse("person-photos", args=[person_id])
    return Uploader(
        heading="Add photos",
        label="Choose photos",
        help=(
            f"Or drop them here: JPEG, PNG, WebP or HEIC, up to {filesizeformat(settings.MAX_PHOTO_BYTES)} each. "
            "The person must be alone or clearly in front. Metadata such as the location is not kept."
        ),
        without_script="Uploading in the browser needs JavaScript. Without it, use the API.",
        accept=",".join(PHOTO_TYPES),
        max_bytes=settings.MAX_PHOTO_BYTES,
        init_url=reverse("person-photo-upload", args=[person_id]),
        complete_url=f"{photos_url}/{{id}}/complete",
        items_url=photos_url,
        id_key="photo_id",
        refreshes="photos",
    )
