"""Start and complete uploads."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from heimdex.uploads.api import DISK_FULL, UploadRequestSerializer, UploadTargetSerializer, describe_target
from videos.actions.uploads import VideoUpload, complete_upload, init_upload, renew_upload_url
from videos.api.serializers import VideoStatusSerializer
from videos.models import Video
from videos.models.video import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH
from videos.status import get_video_status


class InitUploadSerializer(UploadRequestSerializer):
    """The video that a client wants to upload."""

    mime_type = serializers.CharField(max_length=255, help_text="video/*, image/gif, or application/octet-stream if unknown.")
    title = serializers.CharField(max_length=TITLE_MAX_LENGTH, required=False, allow_blank=True, default="")
    description = serializers.CharField(max_length=DESCRIPTION_MAX_LENGTH, required=False, allow_blank=True, default="")
    language = serializers.CharField(
        max_length=30,
        required=False,
        allow_blank=True,
        default="",
        help_text="Spoken language, as a code such as en, de or pt-BR. Detected when omitted.",
    )


class InitUploadAnswerSerializer(serializers.Serializer[Any]):
    """The new video, and the request that uploads its bytes."""

    video_id = serializers.UUIDField()
    upload = UploadTargetSerializer()


class VideoIdSerializer(serializers.Serializer[Any]):
    """A video id."""

    video_id = serializers.UUIDField()


class InitUploadView(APIView):
    """Start an upload."""

    @extend_schema(request=InitUploadSerializer, responses={201: InitUploadAnswerSerializer, 507: DISK_FULL})
    def post(self, request: Request) -> Response:
        """Create the video and return the URL to PUT its bytes to."""
        body = InitUploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        video, target = init_upload(get_owner(request), VideoUpload(**body.validated_data))
        answer = InitUploadAnswerSerializer({"video_id": video.pk, "upload": describe_target(request, target)})
        return Response(answer.data, status=status.HTTP_201_CREATED)


class VideoUploadUrlView(APIView):
    """The URL of an upload."""

    @extend_schema(
        request=None,
        responses={
            200: UploadTargetSerializer,
            404: OpenApiResponse(description="You have no such video."),
            409: OpenApiResponse(description="The upload was completed or has expired."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Return a new URL to PUT the video's bytes to. URLs of S3 work for 15 minutes; uploads may start later."""
        try:
            target = renew_upload_url(get_owner(request), pk)
        except Video.DoesNotExist as error:
            raise NotFound from error
        return Response(UploadTargetSerializer(describe_target(request, target)).data)


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
        return Response(VideoStatusSerializer(get_video_status(video)).data, status=status.HTTP_202_ACCEPTED)
