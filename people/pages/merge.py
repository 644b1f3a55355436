"""The page on which one person is made of two."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_http_methods

from heimdex.accounts.owner import owner_of
from people.actions.merge_people import merge_people
from people.models import Person
from people.standing import Standing, with_standing

NOT_YOURS = "This is none of your other people. Choose one of the list."


class MergeForm(forms.Form):
    """Who else the person is."""

    other = forms.ChoiceField(label="The other person", error_messages={"required": "Choose a person.", "invalid_choice": NOT_YOURS})

    def __init__(self, data: Any, others: Iterable[Person]) -> None:
        super().__init__(data)
        field = self.fields["other"]
        assert isinstance(field, forms.ChoiceField)
        # None is chosen to begin with: what cannot be undone is not to happen to whoever comes first by name.
        field.choices = [("", "Choose a person"), *((str(other.pk), _words(other)) for other in others)]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Ask with whom a person shall be merged, and merge the two."""
    owner = owner_of(request)
    person = get_object_or_404(Person, pk=person_id, owner=owner)
    others = {str(other.pk): other for other in with_standing(Person.objects.filter(owner=owner).exclude(pk=person_id))}
    form = MergeForm(request.POST if request.method == "POST" else None, others.values())
    if form.is_valid():
        other = others[form.cleaned_data["other"]]
        try:
            merge_people(owner, person_id, other.pk)
        except Person.DoesNotExist as error:
            raise Http404 from error
        messages.success(request, f"{other.name} is merged into {person.name}.")
        return redirect("person-page", person_id=person_id)
    context = {"person": person, "form": form, "has_others": bool(others)}
    return render(request, "people/merge.html", context, status=400 if form.errors else 200)


def _words(person: Person) -> str:
    photos = Standing.of(person).photo_count
    return f"{person.name} ({photos} photo{pluralize(photos)}{', archived' if person.is_archived else ''})"
