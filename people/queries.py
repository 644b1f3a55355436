"""Queries of people, faces and groups that the API, the pages and the admin share."""

from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet

from people.channels import PERSON, PERSON_QUERY
from people.models import FaceGroup, FaceMatch, Person, PersonPhoto, SceneFace
from videos.models import ActiveSpace

# How many faces represent a group.
FACES_PER_GROUP = 6


def find_active_matches(owner_id: UUID) -> QuerySet[FaceMatch]:
    """Return an owner's matches in the active spaces. Faces and people come from one generation of spaces."""
    active = ActiveSpace.objects.filter(owner_id=owner_id)
    return FaceMatch.objects.filter(
        owner_id=owner_id,
        space__in=active.filter(channel=PERSON_QUERY).values("space"),
        face__space__in=active.filter(channel=PERSON).values("space"),
        person__archived_at__isnull=True,
    )


def find_person_matches(person: Person) -> QuerySet[FaceMatch]:
    """Return a person's matches with their faces, scenes and videos, the most probable first."""
    matches = find_active_matches(person.owner_id).filter(person=person)
    return matches.select_related("face__scene", "face__video").order_by("-probability", "face__video__created_at", "face__time_s", "pk")


def find_unnamed_faces(owner_id: UUID) -> QuerySet[SceneFace]:
    """Return an owner's faces that match nobody, with their scenes and videos, the best first."""
    faces = SceneFace.objects.filter(~_is_matched(owner_id, "pk"), owner_id=owner_id)
    return faces.select_related("video", "scene").order_by("-quality", "pk")


def find_unnamed_groups(owner_id: UUID) -> QuerySet[FaceGroup]:
    """Return the groups that have unmatched faces, annotated with `scenes` and `videos` (counts), those in most scenes first."""
    active = ActiveSpace.objects.filter(owner_id=owner_id, channel=PERSON).values("space")
    return (
        FaceGroup.objects.filter(owner_id=owner_id, space__in=active)
        .filter(~_is_matched(owner_id, "faces"), faces__isnull=False)
        .annotate(scenes=Count("faces__scene", distinct=True), videos=Count("faces__video", distinct=True))
        .order_by("-scenes", "pk")
    )


def find_unnamed_groups_with_faces(owner_id: UUID) -> QuerySet[FaceGroup]:
    """Return the unnamed groups, each with its best faces in `best_faces`. Costs one more query for all groups."""
    best = Prefetch("faces", queryset=find_unnamed_faces(owner_id)[:FACES_PER_GROUP], to_attr="best_faces")
    return find_unnamed_groups(owner_id).prefetch_related(best)


def prefetch_portraits(people: QuerySet[Person]) -> QuerySet[Person]:
    """Prefetch each person's oldest READY photo for `get_portrait_url`, with one query for all people."""
    ready = PersonPhoto.objects.filter(state=PersonPhoto.State.READY).order_by("created_at", "pk")
    return people.prefetch_related(Prefetch("photos", queryset=ready[:1], to_attr="portraits"))


def get_portrait_url(person: Person) -> str:
    """Return a signed URL of the thumbnail of a person from `prefetch_portraits`, or an empty string without a READY photo."""
    portrait: PersonPhoto | None = next(iter(vars(person)["portraits"]), None)
    return portrait.thumbnail_url if portrait else ""


def _is_matched(owner_id: UUID, face: str) -> Exists:
    """Build the condition that a face, named by a field of the outer query, has a match in the owner's active space."""
    active = ActiveSpace.objects.filter(owner_id=owner_id, channel=PERSON_QUERY).values("space")
    return Exists(FaceMatch.objects.filter(face=OuterRef(face), space__in=active))
