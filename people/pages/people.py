"""The list of an owner's people, and the place to add one."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from heimdex.accounts.owner import owner_of
from people.actions.add_person import add_person
from people.api.serializers import thumbnail_url
from people.models import Person
from people.names import LONGEST_NAME
from people.standing import Standing, portrait_of, with_portrait, with_standing
from people.switch import switch_context
from videos.actions.errors import Refused

PER_PAGE = 48


class AddPersonForm(forms.Form):
    """Whom to add."""

    name = forms.CharField(max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"}))


@dataclass(frozen=True)
class PersonCard:
    """One person in the list; an empty address means that there is no picture yet."""

    person: Person
    standing: Standing
    thumbnail_url: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def people_page(request: HttpRequest) -> HttpResponse:
    """Show one page of the asking owner's people, or of those that are archived (`?archived=1`); on POST add one."""
    owner = owner_of(request)
    form = AddPersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            person = add_person(owner, form.cleaned_data["name"])
        except Refused as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"{person.name} is added. Now add photos.")
            return redirect("person-page", person_id=person.pk)
    archived = request.GET.get("archived") == "1"
    people = with_portrait(with_standing(Person.objects.filter(owner=owner, archived_at__isnull=not archived)))
    page = Paginator(people, PER_PAGE).get_page(request.GET.get("page"))
    has_archived = archived or Person.objects.filter(owner=owner, archived_at__isnull=False).exists()
    context = {
        "form": form,
        "page": page,
        "cards": [_card(person) for person in page],
        "archived": archived,
        "has_archived": has_archived,
        **switch_context(owner),
    }
    return render(request, "people/people.html", context, status=400 if form.errors else 200)


def _card(person: Person) -> PersonCard:
    portrait = portrait_of(person)
    return PersonCard(person, Standing.of(person), thumbnail_url(portrait) if portrait else "")
