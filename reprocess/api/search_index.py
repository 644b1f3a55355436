"""Owners check and update the search index of their own videos over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from reprocess.actions.refresh import cancel_refresh, refresh_video
from reprocess.models import ReprocessFailure
from reprocess.reports.search_index import SearchIndexStatus, get_search_index_status
from reprocess.runs.unexpected import omit_details
from videos.models import Video

NOT_FOUND = OpenApiResponse(description="You have no such video.")


class UpdateRequestSerializer(serializers.Serializer[Any]):
    """How to update the search index of a video."""

    force = serializers.BooleanField(default=False, help_text="Rebuild everything, not only what is out of date.")


class ChannelStatusSerializer(serializers.Serializer[Any]):
    """A video's scenes in one channel, counted: all, up to date, and failed."""

    step = serializers.CharField()
    channel = serializers.CharField()
    scenes = serializers.IntegerField()
    current = serializers.IntegerField()
    failed = serializers.IntegerField()


class SearchIndexFailureSerializer(serializers.ModelSerializer[ReprocessFailure]):
    """A scene or video that could not be updated, and why. `scene_index` counts from 0."""

    scene_index = serializers.IntegerField(source="scene.index", default=None)
    error = serializers.SerializerMethodField()

    class Meta:
        model = ReprocessFailure
        fields = ("step", "channel", "scene_id", "scene_index", "error")

    def get_error(self, failure: ReprocessFailure) -> str:
        """Return the reason, without details of the installation."""
        return omit_details(failure.error)


class SearchIndexSerializer(serializers.Serializer[Any]):
    """The status of a video's search index. `message` explains it. `switch` says when search starts to use it, if not at once."""

    state = serializers.ChoiceField(choices=["none", "queued", "running", "paused", "succeeded", "failed", "cancelled"])
    message = serializers.CharField()
    progress = serializers.IntegerField(help_text="0 to 100. A canceled update keeps its share; a failed one shows what is up to date.")
    switch = serializers.CharField(source="cutover_notice")
    steps = ChannelStatusSerializer(many=True, source="channels")
    failures = SearchIndexFailureSerializer(many=True)
    started_by_you = serializers.BooleanField()
    can_cancel = serializers.BooleanField()
    finished_at = serializers.DateTimeField(allow_null=True)


class VideoReprocessView(APIView):
    """The search index of one of your videos."""

    @extend_schema(responses={200: SearchIndexSerializer, 404: NOT_FOUND})
    def get(self, request: Request, pk: UUID) -> Response:
        """Return how much of a video's search index is up to date, and the result of the last update."""
        return Response(_serialize(_get_status(request, pk)))

    @extend_schema(
        request=UpdateRequestSerializer,
        responses={
            202: SearchIndexSerializer,
            404: NOT_FOUND,
            409: OpenApiResponse(description="The video is not indexed yet."),
            429: OpenApiResponse(description="Too many updates within an hour. `Retry-After` is the number of seconds to wait."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Update a video's search index. If an unfinished run already includes this video, no other run is started."""
        _get_video(request, pk)
        body = UpdateRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        refresh_video(get_owner(request), pk, force=body.validated_data["force"])
        return Response(_serialize(_get_status(request, pk)), status=status.HTTP_202_ACCEPTED)


class CancelReprocessView(APIView):
    """The update that you have started."""

    @extend_schema(
        request=None,
        responses={
            200: SearchIndexSerializer,
            404: NOT_FOUND,
            409: OpenApiResponse(description="You have no unfinished update for this video."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Cancel the update that you have started. What it has computed is kept."""
        _get_video(request, pk)
        cancel_refresh(get_owner(request), pk)
        return Response(_serialize(_get_status(request, pk)))


def _get_video(request: Request, pk: UUID) -> Video:
    return get_object_or_404(Video.objects.defer("search_vector"), pk=pk, owner=get_owner(request))


def _get_status(request: Request, pk: UUID) -> SearchIndexStatus:
    return get_search_index_status(get_owner(request), _get_video(request, pk))


def _serialize(search_index: SearchIndexStatus) -> Any:
    return SearchIndexSerializer(search_index).data
