"""Start and complete uploads."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from heimdex.errors import Refused, WrongState
from videos.actions.uploads import UploadRequest, complete_upload, init_upload
from videos.api.errors import Conflict
from videos.api.serializers import InitUploadAnswerSerializer, InitUploadSerializer, VideoIdSerializer, VideoStatusSerializer
from videos.models import Video
from videos.status import get_video_status


class InitUploadView(APIView):
    """Start an upload."""

    @extend_schema(request=InitUploadSerializer, responses={201: InitUploadAnswerSerializer})
    def post(self, request: Request) -> Response:
        """Create the video and return the URL to PUT its bytes to."""
        body = InitUploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            video, target = init_upload(get_owner(request), UploadRequest(**body.validated_data))
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
    """Complete an upload."""

    @extend_schema(request=VideoIdSerializer, responses={202: VideoStatusSerializer})
    def post(self, request: Request) -> Response:
        """Start the ingest. A repeated call returns the same status."""
        body = VideoIdSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            video = complete_upload(get_owner(request), body.validated_data["video_id"])
        except Video.DoesNotExist as error:
            raise NotFound from error
        except WrongState as error:
            raise Conflict(str(error)) from error
        return Response(VideoStatusSerializer(get_video_status(video)).data, status=status.HTTP_202_ACCEPTED)
