"""List, add, show, edit, merge and delete people."""

from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import get_owner
from people.actions.persons import add_person, delete_person, edit_person, merge_people
from people.api.serializers import MergeSerializer, NewPersonSerializer, PersonChangesSerializer, PersonFilterSerializer, PersonSerializer
from people.models import Person
from people.queries import prefetch_portraits
from people.status import annotate_status

NOT_FOUND = {404: OpenApiResponse(description="You have no such person.")}


@extend_schema_view(retrieve=extend_schema(description="Show a person with names, status and the number of photos."))
class PersonViewSet(mixins.RetrieveModelMixin, GenericViewSet[Person]):
    """The people of the logged-in owner."""

    queryset = Person.objects.none()
    serializer_class = PersonSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Person]:
        """Return the owner's people with everything that the serializer needs."""
        return prefetch_portraits(annotate_status(Person.objects.filter(owner_id=self.request.user.pk)))

    @extend_schema(parameters=[PersonFilterSerializer], responses=PersonSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List people by name."""
        filters = PersonFilterSerializer(data=request.query_params)
        filters.is_valid(raise_exception=True)
        people = self.get_queryset().filter(archived_at__isnull=not filters.validated_data["archived"])
        if "status" in filters.validated_data:
            people = people.filter(Q(status=filters.validated_data["status"]))
        page = self.paginate_queryset(people)
        return self.get_paginated_response(PersonSerializer(page, many=True).data)

    @extend_schema(request=NewPersonSerializer, responses={201: PersonSerializer})
    def create(self, request: Request) -> Response:
        """Add a person without photos."""
        body = NewPersonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        person = add_person(get_owner(request), **body.validated_data)
        return self._respond(person.pk, status.HTTP_201_CREATED)

    @extend_schema(request=PersonChangesSerializer, responses={200: PersonSerializer, **NOT_FOUND})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change names, or archive or restore the person."""
        self.get_object()
        body = PersonChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            edit_person(get_owner(request), pk, **body.validated_data)
        except Person.DoesNotExist as error:
            raise NotFound from error
        return self._respond(pk)

    @extend_schema(responses={204: None, **NOT_FOUND})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete the person with all photos, vectors and files."""
        try:
            delete_person(get_owner(request), pk)
        except Person.DoesNotExist as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=MergeSerializer, responses={200: PersonSerializer, **NOT_FOUND})
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: UUID) -> Response:
        """Move everything from another person to this one. The other person's names become aliases."""
        self.get_object()
        body = MergeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            merge_people(get_owner(request), pk, body.validated_data["other"])
        except Person.DoesNotExist as error:
            raise NotFound from error
        return self._respond(pk)

    def _respond(self, pk: UUID, code: int = status.HTTP_200_OK) -> Response:
        person = self.get_queryset().filter(pk=pk).first()
        if person is None:
            # Deleted in the meantime.
            raise NotFound
        return Response(PersonSerializer(person).data, status=code)
