"""The page of faces that nobody has named: groups that look like one person, to be named in one step."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from heimdex.accounts.owner import owner_of
from people.actions.name_group import name_group
from people.actions.rule_face import rule_face
from people.api.faces import face_thumbnail, with_best_faces
from people.models import FaceGroup, Person, SceneFace
from people.switch import switch_context
from videos.actions.errors import Refused
from videos.pages.times import clock

GROUPS_PER_PAGE = 24


@dataclass(frozen=True)
class FaceCard:
    """One face: its picture, and the place in its video."""

    face: SceneFace
    time: str
    thumbnail_url: str


@dataclass(frozen=True)
class GroupCard:
    """One group, with its best faces."""

    group: FaceGroup
    number: int
    scenes: int
    faces: tuple[FaceCard, ...]


@login_required
@require_safe
def unknown_page(request: HttpRequest) -> HttpResponse:
    """Show the groups, those in most scenes first."""
    owner = owner_of(request)
    page = Paginator(with_best_faces(owner.pk), GROUPS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "groups": [_card(group, number) for number, group in enumerate(page, start=page.start_index())],
        "names": Person.objects.filter(owner=owner, archived_at__isnull=True).values_list("name", flat=True)[:500],
        **switch_context(owner),
    }
    return render(request, "people/unknown.html", context)


@login_required
@require_POST
def name_unknown(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Take the name of a group, and go on to the person's page."""
    try:
        person = name_group(owner_of(request), group_id, name=request.POST.get("name", ""))
    except FaceGroup.DoesNotExist:
        return render(request, "people/sorted_anew.html", status=404)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("unknown-faces")
    messages.success(request, f"These faces are {person.name} now.")
    return redirect("person-page", person_id=person.pk)


@login_required
@require_http_methods(["POST"])
def take_out(request: HttpRequest, person_id: UUID, face_id: UUID) -> HttpResponse:
    """Take a face out of a person."""
    try:
        rule_face(owner_of(request), person_id, face_id, is_person=False)
    except (Person.DoesNotExist, SceneFace.DoesNotExist) as error:
        raise Http404 from error
    messages.success(request, "The face is taken out, and stays out.")
    return redirect("person-page", person_id=person_id)


def face_card(face: SceneFace) -> FaceCard:
    """Return a face as the pages show it."""
    return FaceCard(face, clock(face.time_s), face_thumbnail(face))


def _card(group: FaceGroup, number: int) -> GroupCard:
    read = vars(group)
    return GroupCard(group, number, read["scenes"], tuple(face_card(face) for face in read["best_faces"]))
