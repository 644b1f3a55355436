"""A scope: which videos, and whose people, a run covers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import QuerySet

from heimdex.accounts.models import User
from people.models import Person
from reprocess.planning.targets import PEOPLE, PHOTOS, SCENES, TargetType
from videos.models import Scene, Video


class ScopeError(ValueError):
    """A request does not name a valid scope. `field` is the invalid field of the request."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class ScopeNotFound(ScopeError):
    """The video or owner that a request names does not exist."""


@dataclass(frozen=True)
class Scope:
    """One video, all videos of one owner, or everything. `since` limits it to videos and people updated at or after that time.

    `scene_ids` limits it to a sample of scenes. A sample has no people.
    """

    kind: Literal["video", "owner", "all"]
    video_id: UUID | None = None
    owner_id: UUID | None = None
    since: datetime | None = None
    scene_ids: frozenset[UUID] | None = None

    def __post_init__(self) -> None:
        if self.kind == "video" and self.video_id is None:
            raise ScopeError("video_id", "video_id is required when scope is 'video'.")
        if self.kind == "owner" and self.owner_id is None:
            raise ScopeError("owner_id", "owner_id is required when scope is 'owner'.")
        if self.kind != "video" and self.video_id is not None:
            raise ScopeError("video_id", f"video_id is not allowed when scope is '{self.kind}'.")
        if self.kind != "owner" and self.owner_id is not None:
            raise ScopeError("owner_id", f"owner_id is not allowed when scope is '{self.kind}'.")
        if self.kind == "video" and self.since is not None:
            raise ScopeError("since", "since is allowed only when scope is 'owner' or 'all'.")

    def require_existing(self) -> None:
        """Raise ScopeNotFound when the named video or owner does not exist."""
        if self.video_id and not Video.objects.filter(pk=self.video_id).exists():
            raise ScopeNotFound("video_id", f"There is no video {self.video_id}.")
        if self.owner_id and not User.objects.filter(pk=self.owner_id).exists():
            raise ScopeNotFound("owner_id", f"There is no owner {self.owner_id}.")

    def select_videos(self) -> QuerySet[Video]:
        """Return the indexed videos of the scope. Videos that are still being processed get their vectors from the ingest."""
        videos = Video.objects.filter(state=Video.State.INDEXED)
        if self.video_id:
            videos = videos.filter(pk=self.video_id)
        if self.owner_id:
            videos = videos.filter(owner_id=self.owner_id)
        if self.since:
            videos = videos.filter(updated_at__gte=self.since)
        if self.scene_ids is not None:
            videos = videos.filter(pk__in=Scene.objects.filter(pk__in=self.scene_ids).values("video"))
        return videos

    def select_people(self) -> QuerySet[Person]:
        """Return the people of the scope's owners. A single video and a sample have none."""
        if self.kind == "video" or self.scene_ids is not None:
            return Person.objects.none()
        people = PEOPLE.select_searchable(self.owner_id)
        return people.filter(updated_at__gte=self.since) if self.since else people

    def select_targets(self, target_type: TargetType) -> QuerySet[Any]:
        """Return the scope's targets of one type: the scenes of its videos, the photos of its people, or its people."""
        if target_type is PEOPLE:
            return self.select_people()
        if target_type is PHOTOS:
            return PHOTOS.select_searchable().filter(person__in=self.select_people())
        if self.scene_ids is not None:
            return SCENES.select_searchable().filter(pk__in=self.scene_ids)
        if self.kind == "all" and self.since is None:
            return SCENES.select_searchable()
        return Scene.objects.filter(video__in=self.select_videos())
