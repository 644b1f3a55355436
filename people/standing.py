"""Where people stand: what is counted of their photos, and what that comes to."""

from dataclasses import dataclass
from typing import Self

from django.db import models
from django.db.models import Case, Count, Exists, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from people.models import Person, PersonPhoto


class Status(models.TextChoices):
    """What a person waits for."""

    NEEDS_PHOTOS = "needs_photos", "Needs photos"
    PROCESSING = "processing", "Looking at photos"
    READY = "ready", "Ready"


@dataclass(frozen=True)
class Standing:
    """A person's status, and how many photos there are, can be used, and cannot."""

    status: Status
    photo_count: int
    ready_count: int
    failed_count: int

    @classmethod
    def of(cls, person: Person) -> Self:
        """Describe a person whom `with_standing` has read."""
        read = vars(person)
        return cls(Status(read["status"]), read["photo_count"], read["ready_count"], read["failed_count"])


def with_standing(people: QuerySet[Person]) -> QuerySet[Person]:
    """Annotate people with `status`, `photo_count`, `ready_count` and `failed_count`, all in the one query that reads them; by name.

    While a photo waits or is looked at, a person is `processing`; otherwise one READY photo is enough to be `ready`.
    """
    photos = PersonPhoto.objects.filter(person=OuterRef("pk"))
    state = PersonPhoto.State
    return people.annotate(
        status=Case(
            When(Exists(photos.filter(state__in=PersonPhoto.MOVING)), then=Value(Status.PROCESSING)),
            When(Exists(photos.filter(state=state.READY)), then=Value(Status.READY)),
            default=Value(Status.NEEDS_PHOTOS),
            output_field=models.CharField(),
        ),
        # What was only announced is no photo yet.
        photo_count=Count("photos", filter=~Q(photos__state=state.UPLOADING)),
        ready_count=Count("photos", filter=Q(photos__state=state.READY)),
        failed_count=Count("photos", filter=Q(photos__state=state.FAILED)),
    ).order_by(Lower("name"), "pk")


def with_portrait(people: QuerySet[Person]) -> QuerySet[Person]:
    """Have each person's oldest READY photo fetched as `portraits` (a list of one or none), with one query for all of them."""
    ready = PersonPhoto.objects.filter(state=PersonPhoto.State.READY).order_by("created_at", "pk")
    return people.prefetch_related(Prefetch("photos", queryset=ready[:1], to_attr="portraits"))


def portrait_of(person: Person) -> PersonPhoto | None:
    """Return the photo that stands for a person whom `with_portrait` has read."""
    return next(iter(vars(person)["portraits"]), None)
