"""A scope: which videos, and whose people, a run is about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import QuerySet

from heimdex.accounts.models import User
from people.models import Person
from reprocess.subjects import PEOPLE, PHOTOS, SCENES, Kind
from videos.models import Scene, Video


class ScopeError(ValueError):
    """The request does not name a scope; `field` says which part of it is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class ScopeNotFound(ScopeError):
    """The video or owner that the request names does not exist."""


@dataclass(frozen=True)
class Scope:
    """One video, all of one owner, or everything; `since` keeps the videos and people updated at or after it."""

    kind: Literal["video", "owner", "all"]
    video_id: UUID | None = None
    owner_id: UUID | None = None
    since: datetime | None = None

    def __post_init__(self) -> None:
        if self.kind == "video" and self.video_id is None:
            raise ScopeError("video_id", "video_id is required when scope is 'video'.")
        if self.kind == "owner" and self.owner_id is None:
            raise ScopeError("owner_id", "owner_id is required when scope is 'owner'.")
        if self.kind != "video" and self.video_id is not None:
            raise ScopeError("video_id", f"video_id does not go with scope '{self.kind}'.")
        if self.kind != "owner" and self.owner_id is not None:
            raise ScopeError("owner_id", f"owner_id does not go with scope '{self.kind}'.")
        if self.kind == "video" and self.since is not None:
            raise ScopeError("since", "since goes with scope 'owner' or 'all'.")

    def require_existing(self) -> None:
        """Raise ScopeNotFound when the named video or owner does not exist."""
        if self.video_id and not Video.objects.filter(pk=self.video_id).exists():
            raise ScopeNotFound("video_id", f"There is no video {self.video_id}.")
        if self.owner_id and not User.objects.filter(pk=self.owner_id).exists():
            raise ScopeNotFound("owner_id", f"There is no owner {self.owner_id}.")

    def videos(self) -> QuerySet[Video]:
        """Return the indexed videos of the scope; a video still being ingested is brought up to date by its ingest."""
        videos = Video.objects.filter(state=Video.State.INDEXED)
        if self.video_id:
            videos = videos.filter(pk=self.video_id)
        if self.owner_id:
            videos = videos.filter(owner_id=self.owner_id)
        if self.since:
            videos = videos.filter(updated_at__gte=self.since)
        return videos

    def people(self) -> QuerySet[Person]:
        """Return the people of the scope: those of its owners; none go with a single video."""
        if self.kind == "video":
            return Person.objects.none()
        people = PEOPLE.searchable(self.owner_id)
        return people.filter(updated_at__gte=self.since) if self.since else people

    def subjects(self, kind: Kind) -> QuerySet[Any]:
        """Return the scenes of the scope's videos, the photos of its people, or its people."""
        if kind is PEOPLE:
            return self.people()
        if kind is PHOTOS:
            return PHOTOS.searchable().filter(person__in=self.people())
        if self.kind == "all" and self.since is None:
            return SCENES.searchable()
        return Scene.objects.filter(video__in=self.videos())
