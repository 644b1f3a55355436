"""The page of one person: photos, where each stands, and what can be changed."""

from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from heimdex.accounts.owner import owner_of
from people.actions.announce_photo import TYPES
from people.actions.edit_person import edit_person
from people.api.faces import faces_of
from people.api.serializers import can_retry, thumbnail_url
from people.models import Person, PersonPhoto
from people.names import LONGEST_NAME
from people.pages.unknown import face_card
from people.standing import Standing, with_standing
from people.switch import switch_context
from videos.actions.errors import Refused

# How many photos a person should have: from different sides and days, they are recognised better than by one.
WANTED_PHOTOS = 3
SHOWN_FACES = 24
STATE_WORDS = {
    PersonPhoto.State.UPLOADING: "Waiting for its file",
    PersonPhoto.State.UPLOADED: "Waiting for a worker",
    PersonPhoto.State.PROCESSING: "Looking for the face",
    PersonPhoto.State.READY: "Ready",
    PersonPhoto.State.FAILED: "Cannot be used",
}


class PersonForm(forms.Form):
    """The names of a person; those besides the first stand in lines of their own."""

    name = forms.CharField(max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    aliases = forms.CharField(
        required=False,
        label="Other names",
        help_text="One in each line: a nickname, or the name in another script.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_aliases(self) -> list[str]:
        """Return one name for each line that is not empty."""
        return [line for line in self.cleaned_data["aliases"].splitlines() if line.strip()]


@dataclass(frozen=True)
class PhotoRow:
    """One photo in the list; an empty address means that there is no picture yet."""

    photo: PersonPhoto
    number: int
    words: str
    moving: bool
    can_retry: bool
    thumbnail_url: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def person_page(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show a person, and take changes of the names."""
    owner = owner_of(request)
    person = get_object_or_404(with_standing(Person.objects.filter(owner=owner)), pk=person_id)
    form = PersonForm(request.POST if request.method == "POST" else None, initial=_initial(person))
    if request.method == "POST" and form.is_valid():
        try:
            edit_person(owner, person_id, name=form.cleaned_data["name"], aliases=form.cleaned_data["aliases"])
        except Refused as error:
            form.add_error(error.field or None, str(error))
        else:
            messages.success(request, "The changes are saved.")
            return redirect("person-page", person_id=person.pk)
    photos = PersonPhoto.objects.filter(person=person).order_by("created_at", "pk")
    # What was only announced is shown by the browser that sends it.
    rows = [_row(photo, number) for number, photo in enumerate(photos.exclude(state=PersonPhoto.State.UPLOADING), start=1)]
    standing, switch = Standing.of(person), switch_context(owner)
    context = {
        "person": person,
        "status": standing.status,
        "wanted": max(WANTED_PHOTOS - standing.ready_count, 0) if standing.ready_count else 0,
        "form": form,
        "photos": rows,
        "types": ",".join(TYPES),
        **switch,
        "may_add": len(rows) < settings.MAX_PHOTOS and not person.is_archived and not switch["no_faces"],
        "max_photos": settings.MAX_PHOTOS,
        "max_photo_bytes": settings.MAX_PHOTO_BYTES,
        "faces": [(face_card(match.face), match.probability) for match in faces_of(person)[:SHOWN_FACES]],
        "face_count": faces_of(person).aggregate(scenes=Count("scene", distinct=True))["scenes"],
        "has_others": Person.objects.filter(owner=owner).exclude(pk=person_id).exists(),
        "quoted_name": f'"{person.name}"',
    }
    return render(request, "people/person.html", context, status=400 if form.errors else 200)


def _initial(person: Person) -> dict[str, str]:
    return {"name": person.name, "aliases": "\n".join(person.aliases)}


def _row(photo: PersonPhoto, number: int) -> PhotoRow:
    state = PersonPhoto.State(photo.state)
    return PhotoRow(photo, number, STATE_WORDS[state], state in PersonPhoto.MOVING, can_retry(photo), thumbnail_url(photo))
