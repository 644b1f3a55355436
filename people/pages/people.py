"""The list of an owner's people, and the form to add one."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from heimdex.accounts.owner import get_owner
from heimdex.errors import Refused
from people.actions.persons import add_person
from people.face_settings import build_face_settings_context
from people.models import Person
from people.names import MAX_NAME_LENGTH
from people.pages.cards import build_person_card
from people.queries import prefetch_portraits
from people.status import with_status

PER_PAGE = 48


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
    people = prefetch_portraits(with_status(Person.objects.filter(owner=owner, archived_at__isnull=not archived)))
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
