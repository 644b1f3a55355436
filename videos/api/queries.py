"""The queries that were recorded of an owner, who may keep or erase them."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import owner_of
from videos.models import RecordedQuery


class RecordedQuerySerializer(serializers.ModelSerializer[RecordedQuery]):
    """A text that was searched for; `saved` keeps it for as long as it is set."""

    class Meta:
        model = RecordedQuery
        fields = ("id", "text", "saved", "asked_at")
        read_only_fields = ("id", "text", "asked_at")


class RecordedQueriesView(ListAPIView[RecordedQuery]):
    """All recorded queries of who asks, newest first."""

    queryset = RecordedQuery.objects.none()
    serializer_class = RecordedQuerySerializer

    def get_queryset(self) -> QuerySet[RecordedQuery]:
        """Return the asking owner's queries alone."""
        return _of(self.request)

    @extend_schema(operation_id="queries_destroy_all", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Erase them all, saved ones too."""
        _of(request).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class RecordedQueryViewSet(mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet[RecordedQuery]):
    """One recorded query: save it, or erase it."""

    http_method_names = ["patch", "delete", "options"]
    queryset = RecordedQuery.objects.none()
    serializer_class = RecordedQuerySerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[RecordedQuery]:
        """Return the asking owner's queries alone."""
        return _of(self.request)


def _of(request: Request) -> QuerySet[RecordedQuery]:
    return RecordedQuery.objects.filter(owner=owner_of(request))
