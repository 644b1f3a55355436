"""The page of unnamed faces, and the actions on faces: name a group, reject a face."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from heimdex.accounts.owner import get_owner
from heimdex.errors import Refused
from people.actions.faces import label_face
from people.actions.groups import name_group
from people.face_settings import build_face_settings_context
from people.models import FaceGroup, Person, SceneFace
from people.pages.cards import build_group_card
from people.queries import find_unnamed_groups_with_faces

GROUPS_PER_PAGE = 24
MAX_SUGGESTED_NAMES = 500


@login_required
@require_safe
def unnamed_page(request: HttpRequest) -> HttpResponse:
    """Show the groups of unnamed faces, those in most scenes first."""
    owner = get_owner(request)
    page = Paginator(find_unnamed_groups_with_faces(owner.pk), GROUPS_PER_PAGE).get_page(request.GET.get("page"))
    names = Person.objects.filter(owner=owner, archived_at__isnull=True).values_list("name", flat=True)
    context = {
        "page": page,
        "groups": [build_group_card(group, number) for number, group in enumerate(page, start=page.start_index())],
        "names": names[:MAX_SUGGESTED_NAMES],
        **build_face_settings_context(owner),
    }
    return render(request, "people/unnamed.html", context)


@login_required
@require_POST
def name_unnamed_group(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Name a group, and continue on the person's page."""
    try:
        person = name_group(get_owner(request), group_id, name=request.POST.get("name", ""))
    except FaceGroup.DoesNotExist:
        return render(request, "people/group_not_found.html", status=404)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("unnamed-faces")
    messages.success(request, f"Named these faces {person.name}.")
    return redirect("person-page", person_id=person.pk)


@login_required
@require_POST
def reject_face(request: HttpRequest, person_id: UUID, face_id: UUID) -> HttpResponse:
    """Label a face as not this person's."""
    try:
        label_face(get_owner(request), person_id, face_id, is_person=False)
    except (Person.DoesNotExist, SceneFace.DoesNotExist) as error:
        raise Http404 from error
    messages.success(request, "Removed. It won't be suggested again.")
    return redirect("person-page", person_id=person_id)
