"""Archive, merge and delete a person; retry and remove a photo."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_http_methods, require_POST

from heimdex.accounts.owner import get_owner
from heimdex.errors import Refused, WrongState
from people.actions.persons import delete_person, edit_person, merge_people
from people.actions.photos import delete_photo, retry_photo
from people.models import Person, PersonPhoto
from people.status import PersonStatus, annotate_status

NOT_IN_LIST = "Choose one of the people in the list."


class MergeForm(forms.Form):
    """The person to merge into the current one."""

    other = forms.ChoiceField(label="The other person", error_messages={"required": "Choose a person.", "invalid_choice": NOT_IN_LIST})

    def __init__(self, data: Any, others: Iterable[Person]) -> None:
        super().__init__(data)
        field = self.fields["other"]
        assert isinstance(field, forms.ChoiceField)
        # No person is preselected, because a merge cannot be undone.
        field.choices = [("", "Choose a person"), *((str(other.pk), _describe(other)) for other in others)]


@login_required
@require_POST
def archive(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Archive a person, or restore the person (`archived=0`)."""
    archived = request.POST.get("archived") != "0"
    try:
        person = edit_person(get_owner(request), person_id, archived=archived)
    except Person.DoesNotExist as error:
        raise Http404 from error
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Archived {person.name}." if archived else f"Restored {person.name}.")
    return redirect("person-page", person_id=person_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Ask for the other person. Merge the two on POST."""
    owner = get_owner(request)
    person = get_object_or_404(Person, pk=person_id, owner=owner)
    others = {str(other.pk): other for other in annotate_status(Person.objects.filter(owner=owner).exclude(pk=person_id))}
    form = MergeForm(request.POST if request.method == "POST" else None, others.values())
    if form.is_valid():
        other = others[form.cleaned_data["other"]]
        try:
            merge_people(owner, person_id, other.pk)
        except Person.DoesNotExist as error:
            raise Http404 from error
        except Refused as error:
            form.add_error("other", str(error))
        else:
            messages.success(request, f"Merged {other.name} into {person.name}.")
            return redirect("person-page", person_id=person_id)
    context = {"person": person, "form": form, "has_others": bool(others)}
    return render(request, "people/merge.html", context, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Ask for confirmation. Delete the person on POST."""
    owner = get_owner(request)
    person = get_object_or_404(Person, pk=person_id, owner=owner)
    if request.method == "POST":
        try:
            delete_person(owner, person_id)
        except Person.DoesNotExist as error:
            raise Http404 from error
        messages.success(request, f"Deleted {person.name}.")
        return redirect("people")
    return render(request, "people/delete.html", {"person": person, "photo_count": person.photos.count()})


def _describe(person: Person) -> str:
    photos = PersonStatus.of(person).photo_count
    return f"{person.name} ({photos} photo{pluralize(photos)}{', archived' if person.is_archived else ''})"


@login_required
@require_POST
def retry(request: HttpRequest, person_id: UUID, photo_id: UUID) -> HttpResponse:
    """Queue a failed photo again."""
    try:
        photo = retry_photo(get_owner(request), person_id, photo_id)
    except PersonPhoto.DoesNotExist as error:
        raise Http404 from error
    except WrongState as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Retrying {photo.filename}.")
    return redirect("person-page", person_id=person_id)


@login_required
@require_POST
def remove_photo(request: HttpRequest, person_id: UUID, photo_id: UUID) -> HttpResponse:
    """Delete a photo."""
    try:
        delete_photo(get_owner(request), person_id, photo_id)
    except PersonPhoto.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, "Removed the photo.")
    return redirect("person-page", person_id=person_id)
