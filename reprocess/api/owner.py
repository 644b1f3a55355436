"""Owners renew the search data of their own video, over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import Throttled
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import owner_of
from reprocess.actions.errors import WrongState
from reprocess.actions.renew_video import TooOften, cancel_renewal, renew_video
from reprocess.models import ReprocessFailure
from reprocess.video_state import VideoState, video_state
from videos.api.errors import Conflict
from videos.models import Video

NOT_THERE = OpenApiResponse(description="You have no such video.")


class RenewSerializer(serializers.Serializer[Any]):
    """How to renew: what is out of date, or with `force` everything."""

    force = serializers.BooleanField(default=False)


class StepStateSerializer(serializers.Serializer[Any]):
    """One channel of the video: its scenes, and how many of them are up to date or failed."""

    step = serializers.CharField()
    channel = serializers.CharField()
    scenes = serializers.IntegerField()
    current = serializers.IntegerField()
    failed = serializers.IntegerField()


class VideoFailureSerializer(serializers.ModelSerializer[ReprocessFailure]):
    """What could not be renewed, and why; `scene_index` counts from 0."""

    scene_index = serializers.IntegerField(source="scene.index", default=None)

    class Meta:
        model = ReprocessFailure
        fields = ("step", "channel", "scene_id", "scene_index", "error")


class VideoStateSerializer(serializers.Serializer[Any]):
    """Where the renewal of a video stands: `message` says it in a sentence, `switch` when search will follow, if not at once."""

    state = serializers.ChoiceField(choices=["none", "queued", "running", "paused", "succeeded", "failed", "cancelled"])
    message = serializers.CharField()
    progress = serializers.IntegerField(help_text="0 to 100")
    switch = serializers.CharField()
    steps = StepStateSerializer(many=True)
    failures = VideoFailureSerializer(many=True)
    started_by_you = serializers.BooleanField()
    can_cancel = serializers.BooleanField()
    finished_at = serializers.DateTimeField(allow_null=True)


class VideoReprocessView(APIView):
    """The search data of one video of who asks."""

    @extend_schema(responses={200: VideoStateSerializer, 404: NOT_THERE})
    def get(self, request: Request, pk: UUID) -> Response:
        """Show how much of it is up to date, and what became of its last renewal."""
        return Response(_shown(_state(request, pk)))

    @extend_schema(
        request=RenewSerializer,
        responses={
            202: VideoStateSerializer,
            404: NOT_THERE,
            409: OpenApiResponse(description="The video is not indexed yet."),
            429: OpenApiResponse(description="Too many within an hour; `Retry-After` says for how many seconds."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Renew it. If a run has this video before it already, that one does it."""
        _video(request, pk)
        body = RenewSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            renew_video(owner_of(request), pk, force=body.validated_data["force"])
        except WrongState as error:
            raise Conflict(str(error)) from error
        except TooOften as error:
            raise Throttled(wait=error.wait_s, detail=str(error)) from error
        return Response(_shown(_state(request, pk)), status=status.HTTP_202_ACCEPTED)


class CancelReprocessView(APIView):
    """The renewal that who asks has started."""

    @extend_schema(
        request=None,
        responses={
            200: VideoStateSerializer,
            404: NOT_THERE,
            409: OpenApiResponse(description="Nothing that you have started for this video is under way."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Cancel it; what is computed stays."""
        _video(request, pk)
        try:
            cancel_renewal(owner_of(request), pk)
        except WrongState as error:
            raise Conflict(str(error)) from error
        return Response(_shown(_state(request, pk)))


def _video(request: Request, pk: UUID) -> Video:
    return get_object_or_404(Video.objects.defer("search_vector"), pk=pk, owner=owner_of(request))


def _state(request: Request, pk: UUID) -> VideoState:
    return video_state(owner_of(request), _video(request, pk))


def _shown(state: VideoState) -> Any:
    return VideoStateSerializer(state).data
