"""What can be done with a person beside changing names."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from heimdex.accounts.owner import owner_of
from people.actions.delete_person import delete_person
from people.actions.edit_person import edit_person
from people.models import Person


@login_required
@require_POST
def archive(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Archive a person, or (`archived=0`) bring the person back."""
    archived = request.POST.get("archived") != "0"
    try:
        person = edit_person(owner_of(request), person_id, archived=archived)
    except Person.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, f"{person.name} is archived." if archived else f"{person.name} is back.")
    return redirect("person-page", person_id=person_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Ask whether a person shall go, and delete the person when the answer is yes."""
    owner = owner_of(request)
    person = get_object_or_404(Person, pk=person_id, owner=owner)
    if request.method == "POST":
        try:
            delete_person(owner, person_id)
        except Person.DoesNotExist as error:
            raise Http404 from error
        messages.success(request, f"{person.name} is deleted.")
        return redirect("people")
    return render(request, "people/delete.html", {"person": person, "photo_count": person.photos.count()})
