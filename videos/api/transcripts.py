"""Correct what is said in a scene."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import owner_of
from videos.actions.edit_transcript import LONGEST_TRANSCRIPT, Outdated, edit_transcript
from videos.actions.errors import WrongState
from videos.api.errors import Conflict
from videos.api.serializers import SceneSerializer
from videos.models import Scene, Video


class TranscriptSerializer(serializers.Serializer[Any]):
    """What is said; an empty text says that nothing is."""

    text = serializers.CharField(max_length=LONGEST_TRANSCRIPT, allow_blank=True)


class OutdatedSerializer(serializers.Serializer[Any]):
    """Another change came first: the text as it is now, and its version."""

    detail = serializers.CharField()
    transcript = serializers.CharField()
    transcript_version = serializers.CharField()


class TranscriptView(APIView):
    """The transcript of one scene of who asks."""

    @extend_schema(
        request=TranscriptSerializer,
        parameters=[
            OpenApiParameter(
                "If-Match",
                str,
                OpenApiParameter.HEADER,
                description="The scene's `transcript_version` in quotes. With it, no change made meanwhile is undone.",
            )
        ],
        responses={
            200: SceneSerializer,
            404: OpenApiResponse(description="You have no such scene."),
            409: OpenApiResponse(description="The video is not ready yet."),
            412: OutdatedSerializer,
        },
    )
    def patch(self, request: Request, pk: UUID, scene_id: UUID) -> Response:
        """Set the text. Search finds it at once by its words; what depends on its meaning is renewed in the background."""
        get_object_or_404(Scene.objects.filter(owner=owner_of(request), video_id=pk), pk=scene_id)
        body = TranscriptSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            scene = edit_transcript(owner_of(request), pk, scene_id, body.validated_data["text"], version=_expected(request))
        except (Video.DoesNotExist, Scene.DoesNotExist) as error:
            raise NotFound from error
        except WrongState as error:
            raise Conflict(str(error)) from error
        except Outdated as error:
            current = {"detail": str(error), "transcript": error.scene.transcript, "transcript_version": error.scene.transcript_version}
            return _answer(OutdatedSerializer(current).data, error.scene, status.HTTP_412_PRECONDITION_FAILED)
        return _answer(SceneSerializer(scene).data, scene, status.HTTP_200_OK)


def _expected(request: Request) -> str | None:
    """Return the version that the request's If-Match names; None when any will do (RFC 9110, 13.1.1)."""
    tag = request.headers.get("If-Match", "*").strip()
    return None if tag == "*" else tag.removeprefix("W/").strip('"')


def _answer(data: Any, scene: Scene, code: int) -> Response:
    return Response(data, code, headers={"ETag": f'"{scene.transcript_version}"'})
