"""Edit the transcript of a scene."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from videos.actions.transcripts import TRANSCRIPT_MAX_LENGTH, TranscriptChanged, edit_transcript
from videos.api.serializers import SceneSerializer
from videos.models import Scene, Video


class TranscriptSerializer(serializers.Serializer[Any]):
    """A transcript. An empty text means that there is no speech."""

    text = serializers.CharField(max_length=TRANSCRIPT_MAX_LENGTH, allow_blank=True)


class TranscriptChangedSerializer(serializers.Serializer[Any]):
    """Another edit came first: the current text and its version."""

    detail = serializers.CharField()
    transcript = serializers.CharField()
    transcript_version = serializers.CharField()


class TranscriptView(APIView):
    """The transcript of one of the user's scenes."""

    @extend_schema(
        request=TranscriptSerializer,
        parameters=[
            OpenApiParameter(
                "If-Match",
                str,
                OpenApiParameter.HEADER,
                description="The scene's `transcript_version` in quotes, to reject the edit when another one came first.",
            )
        ],
        responses={
            200: SceneSerializer,
            404: OpenApiResponse(description="You have no such scene."),
            409: OpenApiResponse(description="The video is not ready yet."),
            412: TranscriptChangedSerializer,
        },
    )
    def patch(self, request: Request, pk: UUID, scene_id: UUID) -> Response:
        """Set the text. Its words can be searched at once; embeddings are updated in the background."""
        get_object_or_404(Scene.objects.filter(owner=get_owner(request), video_id=pk), pk=scene_id)
        body = TranscriptSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            scene = edit_transcript(get_owner(request), pk, scene_id, body.validated_data["text"], version=_expected_version(request))
        except (Video.DoesNotExist, Scene.DoesNotExist) as error:
            raise NotFound from error
        except TranscriptChanged as error:
            current = {"detail": str(error), "transcript": error.scene.transcript, "transcript_version": error.scene.transcript_version}
            return _respond(TranscriptChangedSerializer(current).data, error.scene, status.HTTP_412_PRECONDITION_FAILED)
        return _respond(SceneSerializer(scene).data, scene, status.HTTP_200_OK)


def _expected_version(request: Request) -> str | None:
    """Return the version in the request's If-Match header, or None for any version (RFC 9110, 13.1.1)."""
    tag = request.headers.get("If-Match", "*").strip()
    return None if tag == "*" else tag.removeprefix("W/").strip('"')


def _respond(data: Any, scene: Scene, code: int) -> Response:
    return Response(data, code, headers={"ETag": f'"{scene.transcript_version}"'})
