"""Recorded queries: list, save and delete them."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import get_owner
from videos.models import RecordedQuery


class RecordedQuerySerializer(serializers.ModelSerializer[RecordedQuery]):
    """A recorded query. `saved` exempts it from deletion."""

    class Meta:
        model = RecordedQuery
        fields = ("id", "text", "saved", "asked_at")
        read_only_fields = ("id", "text", "asked_at")


class RecordedQueriesView(ListAPIView[RecordedQuery]):
    """All recorded queries of the user, newest first."""

    queryset = RecordedQuery.objects.none()
    serializer_class = RecordedQuerySerializer

    def get_queryset(self) -> QuerySet[RecordedQuery]:
        """Return the user's own queries."""
        return _filter_own_queries(self.request)

    @extend_schema(operation_id="queries_destroy_all", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Delete all recorded queries, including saved ones."""
        _filter_own_queries(request).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    partial_update=extend_schema(description="Save a recorded query, or no longer save it."),
    destroy=extend_schema(description="Delete a recorded query."),
)
class RecordedQueryViewSet(mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet[RecordedQuery]):
    """A recorded query: save or delete it."""

    http_method_names = ["patch", "delete", "options"]
    queryset = RecordedQuery.objects.none()
    serializer_class = RecordedQuerySerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[RecordedQuery]:
        """Return the user's own queries."""
        return _filter_own_queries(self.request)


def _filter_own_queries(request: Request) -> QuerySet[RecordedQuery]:
    return RecordedQuery.objects.filter(owner=get_owner(request))
