"""Edit the transcript of a scene, and download a video's transcript as SubRip, WebVTT or JSON."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from heimdex.errors import WrongState
from heimdex.storage.base import sanitize_filename
from videos.actions.transcripts import TRANSCRIPT_MAX_LENGTH, TranscriptChanged, edit_transcript
from videos.api.serializers import SceneSerializer
from videos.embedding_texts import SceneSpeech
from videos.export.captions import Caption, build_captions, format_subrip, format_webvtt
from videos.models import Scene, Video

NOT_READY = "This video is {state}. Its transcript is available once the video is ready."


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
        """Set the transcript of a scene. Its words can be searched at once; embeddings are updated in the background."""
        get_object_or_404(Scene.objects.filter(owner=get_owner(request), video_id=pk), pk=scene_id)
        body = TranscriptSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            scene = edit_transcript(get_owner(request), pk, scene_id, body.validated_data["text"], version=_read_expected_version(request))
        except (Video.DoesNotExist, Scene.DoesNotExist) as error:
            raise NotFound from error
        except TranscriptChanged as error:
            current = {"detail": str(error), "transcript": error.scene.transcript, "transcript_version": error.scene.transcript_version}
            return _respond(TranscriptChangedSerializer(current).data, error.scene, status.HTTP_412_PRECONDITION_FAILED)
        return _respond(SceneSerializer(scene).data, scene, status.HTTP_200_OK)


def _read_expected_version(request: Request) -> str | None:
    """Return the version in the request's If-Match header, or None for any version (RFC 9110, 13.1.1)."""
    tag = request.headers.get("If-Match", "*").strip()
    return None if tag == "*" else tag.removeprefix("W/").strip('"')


def _respond(data: Any, scene: Scene, code: int) -> Response:
    return Response(data, code, headers={"ETag": f'"{scene.transcript_version}"'})


class FixedFormat(BaseContentNegotiation):
    """The URL determines the format, whatever the client accepts: players accept `text/vtt` only, but errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class TranscriptFileView(APIView):
    """The transcript of one of the user's videos."""

    content_negotiation_class = FixedFormat
    suffix = ""
    media_type = ""

    def render_file(self, pk: UUID, content: Callable[[Video], str]) -> HttpResponse:
        """Return a file with the result of `content`. Answer 404 for another owner's video, and 409 for a video that is not ready."""
        video = get_object_or_404(Video.objects.select_related("metadata"), pk=pk, owner=get_owner(self.request))
        if video.state != Video.State.INDEXED:
            raise WrongState(NOT_READY.format(state=video.state))
        name = sanitize_filename(video.filename)
        stem = name.rpartition(".")[0] or name
        headers = {
            "Content-Disposition": content_disposition_header(True, f"{stem}.{self.suffix}") or "attachment",
            # An edit appears at once, and no shared cache stores private data.
            "Cache-Control": "private, no-cache",
        }
        return HttpResponse(content(video), content_type=f"{self.media_type}; charset=utf-8", headers=headers)


class SubRipView(TranscriptFileView):
    suffix, media_type = "srt", "application/x-subrip"

    @extend_schema(
        operation_id="videos_transcript_srt",
        responses={(200, media_type): OpenApiTypes.STR, 409: OpenApiResponse(description="The video is not ready yet.")},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """Return the captions as SubRip."""
        return self.render_file(pk, lambda video: format_subrip(_load_captions(video)))


class WebVttView(TranscriptFileView):
    suffix, media_type = "vtt", "text/vtt"

    @extend_schema(
        operation_id="videos_transcript_vtt",
        responses={(200, media_type): OpenApiTypes.STR, 409: OpenApiResponse(description="The video is not ready yet.")},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """Return the captions as WebVTT, the format of browsers."""
        return self.render_file(pk, lambda video: format_webvtt(_load_captions(video)))


class JsonView(TranscriptFileView):
    suffix, media_type = "json", "application/json"

    @extend_schema(
        operation_id="videos_transcript_json",
        responses={200: OpenApiTypes.OBJECT, 409: OpenApiResponse(description="The video is not ready yet.")},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """Return the transcript of each scene with the times of its words, in seconds from the start of the video."""
        return self.render_file(pk, _format_json)


def _format_json(video: Video) -> str:
    metadata = getattr(video, "metadata", None)
    scenes = [
        {
            "scene_id": str(scene.pk),
            "index": scene.index,
            "start_s": scene.start_s,
            "end_s": scene.end_s,
            "text": scene.transcript,
            "edited": scene.transcript_edited_at is not None,
            "words": [{"start_s": start, "end_s": end, "text": text} for start, end, text in scene.words],
        }
        for scene in _load_scenes(video)
    ]
    data = {"video_id": str(video.pk), "title": video.title, "language": metadata.language if metadata else "", "scenes": scenes}
    return json.dumps(data, ensure_ascii=False)


def _load_captions(video: Video) -> list[Caption]:
    return build_captions(SceneSpeech.from_scene(scene) for scene in _load_scenes(video))


def _load_scenes(video: Video) -> list[Scene]:
    fields = ("index", "start_s", "end_s", "transcript", "transcript_edited_at", "words")
    return list(Scene.objects.filter(video=video).only("id", *fields).order_by("index"))
