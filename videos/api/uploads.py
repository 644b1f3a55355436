"""Announce and complete uploads."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import owner_of
from videos.actions.complete_upload import complete_upload
from videos.actions.errors import Refused, WrongState
from videos.actions.init_upload import Announcement, init_upload
from videos.api.errors import Conflict
from videos.api.serializers import InitUploadAnswerSerializer, InitUploadSerializer, VideoIdSerializer, VideoStatusSerializer
from videos.models import Video


class InitUploadView(APIView):
    """Announce a file."""

    @extend_schema(request=InitUploadSerializer, responses={201: InitUploadAnswerSerializer})
    def post(self, request: Request) -> Response:
        """Create the video and return where to PUT its bytes."""
        body = InitUploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            video, target = init_upload(owner_of(request), Announcement(**body.validated_data))
        except Refused as error:
            raise ValidationError({error.field: [str(error)]}) from error
        upload: dict[str, Any] = {
            "method": target.method,
            "url": request.build_absolute_uri(target.url),
            "headers": dict(target.headers),
            "expires_at": target.expires_at,
        }
        answer = InitUploadAnswerSerializer({"video_id": video.pk, "upload": upload})
        return Response(answer.data, status=status.HTTP_201_CREATED)


class CompleteUploadView(APIView):
    """Say that a file has arrived."""

    @extend_schema(request=VideoIdSerializer, responses={202: VideoStatusSerializer})
    def post(self, request: Request) -> Response:
        """Start the ingest; a repeated call answers the same."""
        body = VideoIdSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            video = complete_upload(owner_of(request), body.validated_data["video_id"])
        except Video.DoesNotExist as error:
            raise NotFound from error
        except WrongState as error:
            raise Conflict(str(error)) from error
        return Response(VideoStatusSerializer(video).data, status=status.HTTP_202_ACCEPTED)
