"""Collections and tags of an owner's videos."""

from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import get_owner
from heimdex.api_fields import BoundedListField
from videos.actions.collections import add_videos, create_collection, edit_collection, remove_videos
from videos.actions.tags import MAX_TAGS_PER_VIDEO, create_tag, rename_tag, set_video_tags
from videos.api.serializers import VideoSerializer
from videos.models import Collection, ManualTag, Video
from videos.models.collection import COLLECTION_DESCRIPTION_MAX_LENGTH

# Videos in one request.
MAX_VIDEOS = 200


class TagSerializer(serializers.ModelSerializer[ManualTag]):
    """A tag, and the number of videos that have it."""

    videos = serializers.IntegerField(read_only=True)

    class Meta:
        model = ManualTag
        fields = ("id", "name", "videos", "created_at")
        read_only_fields = ("id", "created_at")


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    """A collection, and the number of its videos."""

    videos = serializers.IntegerField(read_only=True)

    class Meta:
        model = Collection
        fields = ("id", "name", "description", "videos", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")
        extra_kwargs = {"description": {"max_length": COLLECTION_DESCRIPTION_MAX_LENGTH}}


class CollectedVideosSerializer(serializers.Serializer[Any]):
    """Videos to add to a collection, or to remove from it."""

    video_ids = BoundedListField(child=serializers.UUIDField(), max_length=MAX_VIDEOS)


class VideoTagsSerializer(serializers.Serializer[Any]):
    """The names of the tags that the owner gave to a video."""

    tags = BoundedListField(child=serializers.CharField(max_length=100), max_length=MAX_TAGS_PER_VIDEO)


@extend_schema_view(
    list=extend_schema(description="List your tags by name."),
    retrieve=extend_schema(description="Show a tag."),
    destroy=extend_schema(description="Delete a tag from all its videos. The videos stay."),
)
class TagViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet[ManualTag]):
    """The user's tags."""

    queryset = ManualTag.objects.none()
    serializer_class = TagSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[ManualTag]:
        """Return the user's tags by name."""
        return ManualTag.objects.filter(owner=get_owner(self.request)).annotate(videos=Count("tagged_videos")).order_by("name", "pk")

    @extend_schema(responses={201: TagSerializer})
    def create(self, request: Request) -> Response:
        """Create a tag."""
        body = TagSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        tag = create_tag(get_owner(request), body.validated_data["name"])
        return Response(TagSerializer(self.get_queryset().get(pk=tag.pk)).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Rename a tag on all its videos."""
        tag = self.get_object()
        body = TagSerializer(tag, data=request.data)
        body.is_valid(raise_exception=True)
        try:
            rename_tag(get_owner(request), pk, body.validated_data["name"])
        except ManualTag.DoesNotExist as error:
            raise NotFound from error
        return Response(TagSerializer(self.get_object()).data)


class VideoTagsView(APIView):
    """The tags that the user gave to a video."""

    @extend_schema(responses=VideoTagsSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """List the names of the tags that you gave to a video."""
        video = _get_video(request, pk)
        return _respond_tags(list(ManualTag.objects.filter(tagged_videos__video=video).order_by("name").values_list("name", flat=True)))

    @extend_schema(request=VideoTagsSerializer, responses=VideoTagsSerializer)
    def put(self, request: Request, pk: UUID) -> Response:
        """Replace the tags that you gave to a video. Tags that do not exist are created."""
        _get_video(request, pk)
        body = VideoTagsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            return _respond_tags(set_video_tags(get_owner(request), pk, body.validated_data["tags"]))
        except Video.DoesNotExist as error:
            raise NotFound from error


@extend_schema_view(
    list=extend_schema(description="List your collections by name."),
    retrieve=extend_schema(description="Show a collection."),
    destroy=extend_schema(description="Delete a collection. Its videos stay."),
)
class CollectionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet[Collection]):
    """The user's collections."""

    queryset = Collection.objects.none()
    serializer_class = CollectionSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Collection]:
        """Return the user's collections by name."""
        return Collection.objects.filter(owner=get_owner(self.request)).annotate(videos=Count("collected_videos")).order_by("name", "pk")

    @extend_schema(responses={201: CollectionSerializer})
    def create(self, request: Request) -> Response:
        """Create an empty collection."""
        body = CollectionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        collection = create_collection(get_owner(request), **body.validated_data)
        return Response(CollectionSerializer(self.get_queryset().get(pk=collection.pk)).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change the name or the description."""
        body = CollectionSerializer(self.get_object(), data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        try:
            edit_collection(get_owner(request), pk, **body.validated_data)
        except Collection.DoesNotExist as error:
            raise NotFound from error
        return Response(CollectionSerializer(self.get_object()).data)

    @extend_schema(
        methods=["get"],
        responses=VideoSerializer(many=True),
        description="List the videos of a collection in the order in which they were added.",
    )
    @extend_schema(
        methods=["post"],
        request=CollectedVideosSerializer,
        responses=CollectionSerializer,
        operation_id="collections_videos_add",
        description="Add videos to a collection.",
    )
    @action(detail=True, methods=["get", "post"])
    def videos(self, request: Request, pk: UUID) -> Response:
        """List the videos of a collection in the order in which they were added, or add videos."""
        if request.method == "POST":
            return self._change_videos(request, pk, add_videos)
        collection = self.get_object()
        videos: QuerySet[Any] = Video.objects.filter(collected_videos__collection=collection).order_by("collected_videos__pk")
        return self.get_paginated_response(VideoSerializer(self.paginate_queryset(videos) or (), many=True).data)

    @extend_schema(request=CollectedVideosSerializer, responses=CollectionSerializer)
    @action(detail=True, methods=["post"], url_path="videos/remove")
    def remove_videos(self, request: Request, pk: UUID) -> Response:
        """Remove videos from a collection. The videos themselves stay."""
        return self._change_videos(request, pk, remove_videos)

    def _change_videos(self, request: Request, pk: UUID, change: Any) -> Response:
        self.get_object()
        body = CollectedVideosSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            change(get_owner(request), pk, body.validated_data["video_ids"])
        except (Collection.DoesNotExist, Video.DoesNotExist) as error:
            raise NotFound from error
        return Response(CollectionSerializer(self.get_object()).data)


def _get_video(request: Request, pk: UUID) -> Video:
    video = Video.objects.filter(owner=get_owner(request), pk=pk).first()
    if video is None:
        raise NotFound
    return video


def _respond_tags(names: list[str]) -> Response:
    return Response(VideoTagsSerializer({"tags": names}).data)
