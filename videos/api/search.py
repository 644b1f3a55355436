"""Search over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from heimdex.accounts.rate_limits import spend
from videos.api.search_serializers import UNAVAILABLE, SearchAnswerSerializer, SearchSerializer, build_request
from videos.models import Collection, Video
from videos.registry import get_people_search
from videos.search.hits import Hit, describe_hit
from videos.search.requests import SearchRequest
from videos.search.service import SearchAnswer, search

NO_VIDEO = "You have no video with this id."
NO_PERSON = "You have no person with this id."
NO_COLLECTION = "You have no collection with this id."


class SearchView(APIView):
    """Search the user's scenes."""

    @extend_schema(parameters=[SearchSerializer], responses={200: SearchAnswerSerializer, **UNAVAILABLE})
    def get(self, request: Request) -> Response:
        """Search with query parameters."""
        return self._search(request, request.query_params)

    @extend_schema(request=SearchSerializer, responses={200: SearchAnswerSerializer, **UNAVAILABLE})
    def post(self, request: Request) -> Response:
        """Search with a JSON body."""
        return self._search(request, request.data)

    def _search(self, request: Request, data: Any) -> Response:
        body = SearchSerializer(data=data)
        body.is_valid(raise_exception=True)
        owner = get_owner(request)
        spend("search", owner.pk)
        search_request = build_request(body.validated_data)
        check_filters(owner.pk, search_request)
        answer = search(owner, search_request)
        return Response(serialize_answer(answer, with_explanation=body.validated_data["explain"]))


def check_filters(owner_id: UUID, request: SearchRequest) -> None:
    """Raise NotFound when a filter names a video, a person or a collection that the owner does not have."""
    filters = request.filters
    if request.video_id and not Video.objects.filter(owner_id=owner_id, pk=request.video_id).exists():
        raise NotFound(NO_VIDEO)
    if set(filters.person_ids) - get_people_search().filter_known(owner_id, filters.person_ids):
        raise NotFound(NO_PERSON)
    if filters.collection_id and not Collection.objects.filter(owner_id=owner_id, pk=filters.collection_id).exists():
        raise NotFound(NO_COLLECTION)


def serialize_answer(answer: SearchAnswer, *, with_explanation: bool) -> Any:
    """Return an answer as data."""
    page = {
        "total": answer.total,
        "offset": answer.offset,
        "next_cursor": answer.next_cursor or None,
        "previous_cursor": answer.previous_cursor or None,
        "notices": list(answer.notices),
        "fits": answer.fits,
        "corrections": answer.corrections,
        "suggestions": answer.suggestions,
        "facets": answer.facets,
        "explanation": list(answer.parts) if with_explanation else None,
        "results": [_serialize_hit(hit, with_explanation=with_explanation) for hit in answer.hits],
    }
    return SearchAnswerSerializer(page).data


def _serialize_hit(hit: Hit, *, with_explanation: bool) -> dict[str, Any]:
    scene = hit.scene
    # A media fragment (W3C Media Fragments URI 1.0) makes players start at the scene.
    preview_url = f"{scene.video.playback_url}#t={scene.start_s:.2f},{scene.end_s:.2f}"
    described = describe_hit(hit, with_evidence=with_explanation)
    return {**described, "people": hit.people, "thumbnail_url": scene.thumbnail_url, "preview_url": preview_url}
