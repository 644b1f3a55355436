"""Search by example over HTTP: scenes like a scene, or like an image."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.models import User
from heimdex.accounts.owner import get_owner
from heimdex.accounts.rate_limits import spend
from heimdex.api import ShallowJSONParser
from videos.actions.examples import MAX_IMAGE_BYTES, load_frame, load_image
from videos.api.search import check_filters, serialize_answer
from videos.api.search_serializers import UNAVAILABLE, SearchAnswerSerializer, SearchSerializer, build_request
from videos.models import Scene
from videos.search.examples import Example
from videos.search.service import search

ONE_EXAMPLE = "Send either an image or a scene_id."


class ImageSearchSerializer(SearchSerializer):
    """A search with an image or a frame of a scene, and optionally with words. The filters hold exactly."""

    image = serializers.FileField(required=False, help_text=f"JPEG, PNG, WebP or HEIC, at most {MAX_IMAGE_BYTES // 1024**2} MB.")
    scene_id = serializers.UUIDField(required=False, help_text="The scene whose frame is the example.")
    frame = serializers.IntegerField(min_value=1, max_value=10, default=1, help_text="The number of the scene's frame.")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Reject a search without an example, and with two."""
        if ("image" in values) == ("scene_id" in values):
            raise serializers.ValidationError({"image": ONE_EXAMPLE})
        return values


class SimilarSerializer(SearchSerializer):
    """Filters, the order and the page of an answer."""

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Accept a search without words and filters."""
        return values


class SimilarScenesView(APIView):
    """Scenes like a scene."""

    @extend_schema(operation_id="scenes_similar", parameters=[SimilarSerializer], responses={200: SearchAnswerSerializer, **UNAVAILABLE})
    def get(self, request: Request, pk: UUID) -> Response:
        """List the scenes most similar to a scene by what is said and seen, optionally with words and filters."""
        body = SimilarSerializer(data=request.query_params)
        body.is_valid(raise_exception=True)
        owner = get_owner(request)
        if not Scene.objects.filter_searchable(owner.pk).filter(pk=pk).exists():
            raise NotFound
        spend("search", owner.pk)
        return _answer(owner, body.validated_data, Example(str(pk), scene_id=pk))


class ImageSearchView(APIView):
    """Search with an image."""

    parser_classes = (MultiPartParser, ShallowJSONParser)

    @extend_schema(
        request={"multipart/form-data": ImageSearchSerializer, "application/json": ImageSearchSerializer},
        responses={200: SearchAnswerSerializer, **UNAVAILABLE},
    )
    def post(self, request: Request) -> Response:
        """Find the scenes that look like an image, or like a frame of a scene. The image is not stored."""
        body = ImageSearchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values, owner = body.validated_data, get_owner(request)
        # Before the image is decoded, which takes more than a search.
        spend("search", owner.pk)
        if "image" in values:
            return _answer(owner, values, load_image(values["image"].read()))
        try:
            return _answer(owner, values, load_frame(owner, values["scene_id"], values["frame"]))
        except Scene.DoesNotExist as error:
            raise NotFound from error


def _answer(owner: User, values: dict[str, Any], example: Example) -> Response:
    search_request = build_request(values, example)
    check_filters(owner.pk, search_request)
    return Response(serialize_answer(search(owner, search_request), with_explanation=values["explain"]))
