"""List, add, show, change, merge and delete people."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import owner_of
from people.actions.add_person import add_person
from people.actions.delete_person import delete_person
from people.actions.edit_person import edit_person
from people.actions.merge_people import merge_people
from people.api.serializers import MergeSerializer, NewPersonSerializer, PersonChangesSerializer, PersonFilterSerializer, PersonSerializer
from people.models import Person
from people.standing import with_portrait, with_standing
from videos.actions.errors import Refused

NOBODY = {404: OpenApiResponse(description="You have no such person.")}


class PersonViewSet(mixins.RetrieveModelMixin, GenericViewSet[Person]):
    """The people of who asks; another owner's are not there."""

    queryset = Person.objects.none()
    serializer_class = PersonSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Person]:
        """Return the asking owner's people, with what the answer shows."""
        return with_portrait(with_standing(Person.objects.filter(owner_id=self.request.user.pk)))

    @extend_schema(parameters=[PersonFilterSerializer], responses=PersonSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List people by name."""
        asked = PersonFilterSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        people = self.get_queryset().filter(archived_at__isnull=not asked.validated_data["archived"])
        if "status" in asked.validated_data:
            people = people.filter(Q(status=asked.validated_data["status"]))
        page = self.paginate_queryset(people)
        return self.get_paginated_response(PersonSerializer(page, many=True).data)

    @extend_schema(request=NewPersonSerializer, responses={201: PersonSerializer})
    def create(self, request: Request) -> Response:
        """Add a person, who then needs photos."""
        body = NewPersonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            person = add_person(owner_of(request), **body.validated_data)
        except Refused as error:
            raise _invalid(error) from error
        return self._shown(person.pk, status.HTTP_201_CREATED)

    @extend_schema(request=PersonChangesSerializer, responses={200: PersonSerializer, **NOBODY})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change names, or archive the person."""
        self.get_object()
        body = PersonChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            edit_person(owner_of(request), pk, **body.validated_data)
        except Person.DoesNotExist as error:
            raise NotFound from error
        except Refused as error:
            raise _invalid(error) from error
        return self._shown(pk)

    @extend_schema(responses={204: None, **NOBODY})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete the person with photos, vectors and files."""
        try:
            delete_person(owner_of(request), pk)
        except Person.DoesNotExist as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=MergeSerializer, responses={200: PersonSerializer, **NOBODY})
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: UUID) -> Response:
        """Take over all that another person has; that person's names become aliases."""
        self.get_object()
        body = MergeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            merge_people(owner_of(request), pk, body.validated_data["other"])
        except Person.DoesNotExist as error:
            raise NotFound from error
        except Refused as error:
            raise _invalid(error) from error
        return self._shown(pk)

    def _shown(self, pk: UUID, code: int = status.HTTP_200_OK) -> Response:
        person = self.get_queryset().filter(pk=pk).first()
        if person is None:
            # Deleted since.
            raise NotFound
        return Response(PersonSerializer(person).data, status=code)


def _invalid(error: Refused) -> ValidationError:
    detail: Any = {error.field: [str(error)]} if error.field else str(error)
    return ValidationError(detail)
