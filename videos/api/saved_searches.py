"""Saved searches, and whether searches are recorded."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import get_owner
from videos.actions.saved_searches import edit_search, save_search, set_recording
from videos.api.search_serializers import EMPTY, SearchOptionsSerializer, is_empty_search
from videos.models import SavedSearch, SearchPreferences


class SavedSearchSerializer(serializers.ModelSerializer[SavedSearch]):
    """A search under a name. To repeat it, send `query` as `q`, with the parameters, to /v1/search."""

    parameters = SearchOptionsSerializer(required=False, help_text="The other parameters of the search.")

    class Meta:
        model = SavedSearch
        fields = ("id", "name", "query", "parameters", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")

    def validate_parameters(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters that were sent, as JSON. Ids, which may be sent as numbers too, are written as UUIDs."""
        sent = self.initial_data.get("parameters", {})
        return {name: _write_ids(value, sent[name]) for name, value in values.items() if name in sent}

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Reject a search that /v1/search would not answer, because it asks for nothing."""
        if not self.partial or values.keys() & {"query", "parameters"}:
            saved = self.instance or SavedSearch()
            options = SearchOptionsSerializer(data=values.get("parameters", saved.parameters))
            options.is_valid(raise_exception=True)
            if is_empty_search(values.get("query", saved.query), options.validated_data):
                raise serializers.ValidationError({"query": EMPTY})
        return values


def _write_ids(value: Any, sent: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return [_write_ids(*pair) for pair in zip(value, sent, strict=False)] if isinstance(sent, list) else sent


class SearchPreferencesSerializer(serializers.ModelSerializer[SearchPreferences]):
    """The user's choice for the history of searches."""

    class Meta:
        model = SearchPreferences
        fields = ("records_queries",)
        extra_kwargs = {"records_queries": {"required": True}}


@extend_schema_view(
    list=extend_schema(description="List your saved searches by name."),
    retrieve=extend_schema(description="Show a saved search."),
    destroy=extend_schema(description="Delete a saved search."),
)
class SavedSearchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet[SavedSearch]):
    """The user's saved searches."""

    queryset = SavedSearch.objects.none()
    serializer_class = SavedSearchSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[SavedSearch]:
        """Return the user's saved searches by name."""
        return SavedSearch.objects.filter(owner=get_owner(self.request))

    @extend_schema(responses={201: SavedSearchSerializer})
    def create(self, request: Request) -> Response:
        """Save a search."""
        body = SavedSearchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        saved = save_search(get_owner(request), values["name"], values.get("query", ""), values.get("parameters", {}))
        return Response(SavedSearchSerializer(saved).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change the name, the query or the parameters."""
        body = SavedSearchSerializer(self.get_object(), data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        try:
            return Response(SavedSearchSerializer(edit_search(get_owner(request), pk, **body.validated_data)).data)
        except SavedSearch.DoesNotExist as error:
            raise NotFound from error


class SearchPreferencesView(APIView):
    """Whether the user's searches are recorded."""

    @extend_schema(responses=SearchPreferencesSerializer)
    def get(self, request: Request) -> Response:
        """Tell whether your searches are recorded. `DELETE /v1/queries` erases those that are."""
        preferences = SearchPreferences.objects.filter(owner=get_owner(request)).first() or SearchPreferences()
        return Response(SearchPreferencesSerializer(preferences).data)

    @extend_schema(request=SearchPreferencesSerializer, responses=SearchPreferencesSerializer)
    def put(self, request: Request) -> Response:
        """Choose whether your searches are recorded."""
        body = SearchPreferencesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        set_recording(get_owner(request), **body.validated_data)
        return Response(body.data)
