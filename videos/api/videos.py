"""List, show, rename, delete and retry videos."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import get_owner
from videos.actions.videos import delete_video, edit_video, retry_video
from videos.api.serializers import VideoDetailSerializer, VideoSerializer, VideoStatusSerializer
from videos.models import Video
from videos.status import get_video_status


@extend_schema_view(
    list=extend_schema(description="List your videos, newest first."),
    retrieve=extend_schema(description="Show a video with its properties, scenes, chapters and people."),
)
class VideoViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Video]):
    """The user's videos."""

    queryset = Video.objects.none()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Video]:
        """Return the user's videos with the related rows that the answer contains."""
        videos = Video.objects.filter(owner_id=self.request.user.pk)
        if self.action == "retrieve":
            return videos.select_related("metadata").prefetch_related("scenes")
        return videos.select_related("metadata").prefetch_related("jobs") if self.action == "status" else videos

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return the detailed form for a single video, the short form for lists."""
        return VideoDetailSerializer if self.action == "retrieve" else VideoSerializer

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the title or the description."""
        video = self.get_object()
        body = VideoSerializer(video, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        return Response(VideoSerializer(edit_video(video, **body.validated_data)).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete the video, its files and its search index."""
        delete_video(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=VideoStatusSerializer)
    @action(detail=True)
    def status(self, request: Request, pk: str) -> Response:
        """Return the state, stage, progress and error of a video's ingest."""
        return Response(VideoStatusSerializer(get_video_status(self.get_object())).data)

    @extend_schema(request=None, responses={202: VideoStatusSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: UUID) -> Response:
        """Process a failed video again."""
        try:
            video = retry_video(get_owner(request), pk)
        except Video.DoesNotExist as error:
            raise NotFound from error
        return Response(VideoStatusSerializer(get_video_status(video)).data, status=status.HTTP_202_ACCEPTED)
