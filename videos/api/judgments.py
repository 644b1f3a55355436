"""Judgments of search results: make, list and delete them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import get_owner
from videos.actions.judgments import judge_scene
from videos.models import Judgment, Scene


class JudgmentSerializer(serializers.ModelSerializer[Judgment]):
    """Whether a scene fits a query, in the owner's opinion."""

    q = serializers.CharField(source="text", max_length=1000, help_text="The query.")
    scene_id = serializers.UUIDField()

    class Meta:
        model = Judgment
        fields = ("id", "q", "scene_id", "fits", "judged_at")
        read_only_fields = ("id", "judged_at")


@extend_schema_view(
    list=extend_schema(description="List your judgments, newest first."),
    create=extend_schema(description="Judge a scene for a query. The same scene and query again replace the judgment."),
    destroy=extend_schema(description="Delete a judgment."),
)
class JudgmentViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, GenericViewSet[Judgment]):
    """Judgments of search results. `manage.py evaluate --saved` and cutovers measure search by them."""

    queryset = Judgment.objects.none()
    serializer_class = JudgmentSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Judgment]:
        """Return the user's own judgments."""
        return Judgment.objects.filter(owner=get_owner(self.request))

    def create(self, request: Request) -> Response:
        """Judge a scene."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked: dict[str, Any] = serializer.validated_data
        try:
            judgment = judge_scene(get_owner(request), asked["text"], asked["scene_id"], fits=asked["fits"])
        except Scene.DoesNotExist as error:
            raise NotFound from error
        return Response(self.get_serializer(judgment).data, status=status.HTTP_201_CREATED)
