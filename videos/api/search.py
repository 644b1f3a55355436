"""Search over HTTP."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import owner_of
from heimdex.storage import media_storage
from videos.api.appearances import AppearanceSerializer
from videos.search.service import Hit, SearchRequest, search
from videos.search.who import who_is_there


class SearchSerializer(serializers.Serializer[Any]):
    """What to search for."""

    q = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, default="", help_text='Words, and `@name` or `@"First Last"` for your people.'
    )
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    per_video = serializers.IntegerField(min_value=1, max_value=100, default=10)
    video_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    person_id = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=20, help_text="People, any of whom are in the scene."
    )
    every_person = serializers.BooleanField(default=False, help_text="Whether all of the people must be in the scene.")
    cursor = serializers.CharField(required=False, allow_blank=True, default="", max_length=64)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuse a search for nothing."""
        if not asked["q"] and not asked["person_id"]:
            raise serializers.ValidationError({"q": "Say what to search for, or name a person by person_id."})
        return asked

    def validate_cursor(self, value: str) -> int:
        """Return the place in the answer that a cursor of ours names."""
        try:
            offset = int(urlsafe_b64decode(value.encode()).decode()) if value else 0
        except ValueError as error:
            raise serializers.ValidationError("This is not a cursor of a search answer.") from error
        if not 0 <= offset <= 1_000_000:
            raise serializers.ValidationError("This is not a cursor of a search answer.")
        return offset


class MatchSerializer(serializers.Serializer[Any]):
    """Why a scene matched."""

    channel = serializers.CharField(
        help_text="lexical (words said or seen), on_screen (words in the picture), person, or a vector's channel."
    )
    rank = serializers.IntegerField()
    score = serializers.FloatField()
    highlight = serializers.CharField(help_text="HTML: escaped text with <mark> around the words that matched, and … where text was cut.")


class HitSerializer(serializers.Serializer[Any]):
    """One scene of the answer."""

    scene_id = serializers.UUIDField()
    video_id = serializers.UUIDField()
    title = serializers.CharField()
    start_s = serializers.FloatField()
    end_s = serializers.FloatField()
    score = serializers.FloatField()
    transcript = serializers.CharField()
    description = serializers.CharField()
    on_screen_text = serializers.CharField()
    matches = MatchSerializer(many=True)
    people = AppearanceSerializer(many=True)
    thumbnail_url = serializers.CharField()
    preview_url = serializers.CharField()


class SearchAnswerSerializer(serializers.Serializer[Any]):
    """A page of hits."""

    total = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)
    notices = serializers.ListField(child=serializers.CharField())
    results = HitSerializer(many=True)


class SearchView(APIView):
    """Search the asking owner's scenes."""

    @extend_schema(parameters=[SearchSerializer], responses=SearchAnswerSerializer)
    def get(self, request: Request) -> Response:
        """Search by query parameters."""
        return self._answer(request, request.query_params)

    @extend_schema(request=SearchSerializer, responses=SearchAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Search by a JSON body."""
        return self._answer(request, request.data)

    def _answer(self, request: Request, asked: Any) -> Response:
        body = SearchSerializer(data=asked)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        owner = owner_of(request)
        people = tuple(wanted["person_id"])
        if set(people) - who_is_there().known(owner.pk, people):
            raise NotFound("You have no such person.")
        found = search(
            owner,
            SearchRequest(
                wanted["q"],
                wanted["limit"],
                wanted["cursor"],
                wanted["per_video"],
                wanted["video_id"],
                people,
                wanted["every_person"],
            ),
        )
        reached = wanted["cursor"] + wanted["limit"]
        answer = {
            "total": found.total,
            "next_cursor": urlsafe_b64encode(str(reached).encode()).decode() if reached < found.total else None,
            "notices": list(found.notices),
            "results": [_hit(hit) for hit in found.hits],
        }
        return Response(SearchAnswerSerializer(answer).data)


def _hit(hit: Hit) -> dict[str, Any]:
    scene = hit.scene
    storage = media_storage()
    preview = storage.download_url(scene.video.original_key, settings.LINK_TTL_SECONDS)
    return {
        "scene_id": scene.pk,
        "video_id": scene.video_id,
        "title": scene.video.title,
        "start_s": scene.start_s,
        "end_s": scene.end_s,
        "score": hit.score,
        "transcript": scene.transcript,
        "description": scene.description,
        "on_screen_text": scene.on_screen_text,
        "matches": hit.matches,
        "people": hit.people,
        "thumbnail_url": storage.download_url(scene.thumbnail_key, settings.LINK_TTL_SECONDS) if scene.clip_hash else "",
        # A media fragment (W3C Media Fragments URI 1.0): players begin at the scene.
        "preview_url": f"{preview}#t={scene.start_s:.2f},{scene.end_s:.2f}",
    }
