"""Search over HTTP."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from heimdex.accounts.rate_limits import spend
from heimdex.api_fields import BoundedListField
from videos.api.serializers import AppearanceSerializer
from videos.registry import get_people_search
from videos.search.service import Hit, SearchRequest, describe_hit, search


class SearchSerializer(serializers.Serializer[Any]):
    """A search request."""

    q = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, default="", help_text='Words. `@name` or `@"First Last"` finds a person.'
    )
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    per_video = serializers.IntegerField(min_value=1, max_value=100, default=10)
    video_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    person_id = BoundedListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=20, help_text="Only scenes with any of these people."
    )
    every_person = serializers.BooleanField(default=False, help_text="Only scenes with all of these people.")
    cursor = serializers.CharField(required=False, allow_blank=True, default="", max_length=64)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Reject an empty search."""
        if not data["q"] and not data["person_id"]:
            raise serializers.ValidationError({"q": "Enter a query, or give a person_id."})
        return data

    def validate_cursor(self, value: str) -> int:
        """Return the offset that a cursor encodes."""
        try:
            offset = int(urlsafe_b64decode(value.encode()).decode()) if value else 0
        except ValueError as error:
            raise serializers.ValidationError("This is not the cursor of a search answer.") from error
        if not 0 <= offset <= 1_000_000:
            raise serializers.ValidationError("This is not the cursor of a search answer.")
        return offset


class MatchSerializer(serializers.Serializer[Any]):
    """A channel that found the scene."""

    channel = serializers.CharField(
        help_text="lexical (words of speech or description), on_screen (words in the image), person, or an embedding channel."
    )
    rank = serializers.IntegerField()
    score = serializers.FloatField()
    highlight = serializers.CharField(help_text="HTML: escaped text with <mark> around matching words, and … where text is omitted.")


class HitSerializer(serializers.Serializer[Any]):
    """A scene of the answer."""

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
    """Search the user's scenes."""

    @extend_schema(parameters=[SearchSerializer], responses=SearchAnswerSerializer)
    def get(self, request: Request) -> Response:
        """Search with query parameters."""
        return self._search(request, request.query_params)

    @extend_schema(request=SearchSerializer, responses=SearchAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Search with a JSON body."""
        return self._search(request, request.data)

    def _search(self, request: Request, data: Any) -> Response:
        body = SearchSerializer(data=data)
        body.is_valid(raise_exception=True)
        query = body.validated_data
        owner = get_owner(request)
        spend("search", owner.pk)
        people = tuple(query["person_id"])
        if set(people) - get_people_search().filter_known(owner.pk, people):
            raise NotFound("You have no person with this id.")
        answer = search(
            owner,
            SearchRequest(
                query["q"],
                query["limit"],
                query["cursor"],
                query["per_video"],
                query["video_id"],
                people,
                query["every_person"],
            ),
        )
        end = query["cursor"] + query["limit"]
        page = {
            "total": answer.total,
            "next_cursor": urlsafe_b64encode(str(end).encode()).decode() if end < answer.total else None,
            "notices": list(answer.notices),
            "results": [_serialize_hit(hit) for hit in answer.hits],
        }
        return Response(SearchAnswerSerializer(page).data)


def _serialize_hit(hit: Hit) -> dict[str, Any]:
    scene = hit.scene
    # A media fragment (W3C Media Fragments URI 1.0) makes players start at the scene.
    preview_url = f"{scene.video.playback_url}#t={scene.start_s:.2f},{scene.end_s:.2f}"
    return {**describe_hit(hit), "people": hit.people, "thumbnail_url": scene.thumbnail_url, "preview_url": preview_url}
