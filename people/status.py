"""The status of people, from the states of their photos. The API, the pages and the admin render it."""

from dataclasses import dataclass
from typing import Self

from django.db import models
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from people.models import Person, PersonPhoto


class PersonState(models.TextChoices):
    """Whether a person can be matched, and what is missing if not."""

    NEEDS_PHOTOS = "needs_photos", "Needs photos"
    PROCESSING = "processing", "Processing photos"
    READY = "ready", "Ready"


@dataclass(frozen=True)
class PersonStatus:
    """A person's state and how many photos exist, are ready and have failed."""

    state: PersonState
    photo_count: int
    ready_count: int
    failed_count: int

    @classmethod
    def of(cls, person: Person) -> Self:
        """Return the status of a person from `annotate_status`."""
        columns = vars(person)
        return cls(PersonState(columns["status"]), columns["photo_count"], columns["ready_count"], columns["failed_count"])


def annotate_status(people: QuerySet[Person]) -> QuerySet[Person]:
    """Annotate people with `status`, `photo_count`, `ready_count` and `failed_count` in the same query, ordered by name.

    A person is `processing` while any photo is in progress. Otherwise one READY photo makes the person `ready`.
    """
    photos = PersonPhoto.objects.filter(person=OuterRef("pk"))
    state = PersonPhoto.State
    return people.annotate(
        status=Case(
            When(Exists(photos.filter(state__in=PersonPhoto.IN_PROGRESS)), then=Value(PersonState.PROCESSING)),
            When(Exists(photos.filter(state=state.READY)), then=Value(PersonState.READY)),
            default=Value(PersonState.NEEDS_PHOTOS),
            output_field=models.CharField(),
        ),
        # A photo counts once its upload is complete.
        photo_count=Count("photos", filter=~Q(photos__state=state.UPLOADING)),
        ready_count=Count("photos", filter=Q(photos__state=state.READY)),
        failed_count=Count("photos", filter=Q(photos__state=state.FAILED)),
    ).order_by(Lower("name"), "pk")
