"""Complete what an owner types: names of people, tags and titles."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import F, Func, Q, TextField

from videos.models import ManualTag, Video
from videos.registry import get_people_search

# Completions of each kind.
MAX_COMPLETIONS = 10


class CompletionKind(StrEnum):
    """What is completed."""

    PERSON = "person"
    TAG = "tag"
    TITLE = "title"


@dataclass(frozen=True)
class Completion:
    """A name, tag or title that starts as typed, and the filter of the query language for it."""

    kind: CompletionKind
    value: str
    query: str


def complete(owner_id: UUID, start: str, kinds: frozenset[CompletionKind] = frozenset(CompletionKind)) -> list[Completion]:
    """Return people, tags and titles of which a word starts as typed: at most MAX_COMPLETIONS of each kind, in order of the alphabet."""
    start = " ".join(start.split())
    if not start:
        return []
    completions: list[Completion] = []
    if CompletionKind.PERSON in kinds:
        people = get_people_search().complete_names(owner_id, start, MAX_COMPLETIONS)
        completions += [Completion(CompletionKind.PERSON, person.name, f'@"{person.name}"') for person in people]
    if CompletionKind.TAG in kinds:
        completions += [Completion(CompletionKind.TAG, name, f"tag:{quote(name)}") for name in _list_tags(owner_id, start)]
    if CompletionKind.TITLE in kinds:
        titles = (
            Video.objects.filter(_starts("title", start), owner_id=owner_id).order_by("title").values_list("title", flat=True).distinct()
        )
        completions += [Completion(CompletionKind.TITLE, title, f"title:{quote(title)}") for title in titles[:MAX_COMPLETIONS]]
    return completions


def quote(value: str) -> str:
    """Return a value of a filter, in quotation marks if it needs them. Pure."""
    value = value.replace('"', " ")
    return value if value.isalnum() else f'"{value}"'


def _list_tags(owner_id: UUID, start: str) -> list[str]:
    manual = ManualTag.objects.filter(_starts("name", start), owner_id=owner_id).values_list("name", flat=True)
    # A video has the most common tags of its scenes. There are fewer videos than scenes.
    name = Func(F("tags"), function="jsonb_array_elements_text", output_field=TextField())
    name.set_returning = True
    automatic = Video.objects.filter(owner_id=owner_id).order_by().annotate(tag_name=name).values_list("tag_name", flat=True).distinct()
    lowered = start.lower()
    fitting = [tag for tag in automatic if f" {tag.lower()}".find(f" {lowered}") >= 0]
    unique = {tag.casefold(): tag for tag in [*fitting, *manual]}
    return sorted(unique.values(), key=str.casefold)[:MAX_COMPLETIONS]


def _starts(field: str, start: str) -> Q:
    return Q(**{f"{field}__istartswith": start}) | Q(**{f"{field}__icontains": f" {start}"})
