"""A video's whole transcript as a file: SubRip, WebVTT or JSON."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from heimdex.accounts.owner import owner_of
from heimdex.storage.base import safe_filename
from videos.api.errors import Conflict
from videos.caption_files import subrip, webvtt
from videos.captions import Cue, cues
from videos.models import Scene, Video
from videos.scene_inputs import speech_of

NOT_READY = "This video is {state}. Its transcript is there once the video is ready."


class WhateverIsAsked(BaseContentNegotiation):
    """The address says which form is wanted; players ask for `text/vtt`, and errors are JSON all the same."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class TranscriptFileView(APIView):
    """The transcript of a video of who asks."""

    content_negotiation_class = WhateverIsAsked
    suffix = ""
    media_type = ""

    def answer(self, pk: UUID, content: Callable[[Video], str]) -> HttpResponse:
        """Return the file of what `content` makes of the video; 404 for another owner's video, 409 for one that is not ready."""
        video = get_object_or_404(Video.objects.defer("search_vector").select_related("metadata"), pk=pk, owner=owner_of(self.request))
        if video.state != Video.State.INDEXED:
            raise Conflict(NOT_READY.format(state=video.state))
        name = safe_filename(video.filename)
        stem = name.rpartition(".")[0] or name
        headers = {
            "Content-Disposition": content_disposition_header(True, f"{stem}.{self.suffix}") or "attachment",
            # An edit shows at once, and no shared cache keeps what is somebody's own.
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
        return self.answer(pk, lambda video: subrip(_cues(video)))


class WebVttView(TranscriptFileView):
    suffix, media_type = "vtt", "text/vtt"

    @extend_schema(
        operation_id="videos_transcript_vtt",
        responses={(200, media_type): OpenApiTypes.STR, 409: OpenApiResponse(description="The video is not ready yet.")},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """Return the captions as WebVTT, which browsers show."""
        return self.answer(pk, lambda video: webvtt(_cues(video)))


class JsonView(TranscriptFileView):
    suffix, media_type = "json", "application/json"

    @extend_schema(
        operation_id="videos_transcript_json",
        responses={200: OpenApiTypes.OBJECT, 409: OpenApiResponse(description="The video is not ready yet.")},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """Return what is said scene by scene, with the time of each word: seconds from the video's start."""
        return self.answer(pk, _as_json)


def _as_json(video: Video) -> str:
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
        for scene in _scenes(video)
    ]
    held = {"video_id": str(video.pk), "title": video.title, "language": metadata.language if metadata else "", "scenes": scenes}
    return json.dumps(held, ensure_ascii=False)


def _cues(video: Video) -> list[Cue]:
    return cues(speech_of(scene) for scene in _scenes(video))


def _scenes(video: Video) -> list[Scene]:
    fields = ("index", "start_s", "end_s", "transcript", "transcript_edited_at", "words")
    return list(Scene.objects.filter(video=video).only("id", *fields).order_by("index"))
