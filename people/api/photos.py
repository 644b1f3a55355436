"""Announce, complete, list, remove and retry a person's photos."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import owner_of
from people.actions.announce_photo import PhotoAnnouncement, announce_photo
from people.actions.complete_photo import complete_photo
from people.actions.delete_photo import delete_photo
from people.actions.retry_photo import retry_photo
from people.api.serializers import PhotoSerializer, UploadUrlAnswerSerializer, UploadUrlSerializer
from people.models import Person, PersonPhoto
from videos.actions.errors import Refused, WrongState
from videos.api.errors import Conflict

NOTHING = {404: OpenApiResponse(description="You have no such photo.")}


class PhotosView(ListAPIView[PersonPhoto]):
    """All photos of a person of who asks."""

    queryset = PersonPhoto.objects.none()
    serializer_class = PhotoSerializer

    @extend_schema(operation_id="persons_photos_list")
    def get(self, request: Request, pk: UUID) -> Response:
        """List them, the oldest first, with where each stands and why it failed."""
        person = get_object_or_404(Person, pk=pk, owner=owner_of(request))
        page = self.paginate_queryset(PersonPhoto.objects.filter(person=person).order_by("created_at", "pk"))
        return self.get_paginated_response(PhotoSerializer(page, many=True).data)


class UploadUrlView(APIView):
    """Announce a photo."""

    @extend_schema(
        request=UploadUrlSerializer,
        responses={201: UploadUrlAnswerSerializer, 409: OpenApiResponse(description="No more photos are taken.")},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Create the photo and return where to PUT its bytes."""
        get_object_or_404(Person, pk=pk, owner=owner_of(request))
        body = UploadUrlSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            photo, target = announce_photo(owner_of(request), pk, PhotoAnnouncement(**body.validated_data))
        except Person.DoesNotExist as error:
            raise NotFound from error
        except WrongState as error:
            raise Conflict(str(error)) from error
        except Refused as error:
            raise ValidationError({error.field: [str(error)]}) from error
        answer = {
            "photo_id": photo.pk,
            "method": target.method,
            "url": request.build_absolute_uri(target.url),
            "headers": dict(target.headers),
            "expires_at": target.expires_at,
        }
        return Response(UploadUrlAnswerSerializer(answer).data, status=status.HTTP_201_CREATED)


class PhotoView(APIView):
    """One photo."""

    @extend_schema(operation_id="persons_photos_retrieve", responses={200: PhotoSerializer, **NOTHING})
    def get(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Show where it stands."""
        return Response(PhotoSerializer(get_object_or_404(_of(request, pk), pk=photo_id)).data)

    @extend_schema(operation_id="persons_photos_destroy", responses={204: None, **NOTHING})
    def delete(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Remove it; the person is then looked for by the photos that are left."""
        try:
            delete_photo(owner_of(request), pk, photo_id)
        except PersonPhoto.DoesNotExist as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class CompletePhotoView(APIView):
    """Say that a photo has arrived."""

    @extend_schema(request=None, responses={202: PhotoSerializer, 409: OpenApiResponse(description="Nothing, or something else, arrived.")})
    def post(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Have it looked at; a repeated call answers the same."""
        try:
            photo = complete_photo(owner_of(request), pk, photo_id)
        except PersonPhoto.DoesNotExist as error:
            raise NotFound from error
        except WrongState as error:
            raise Conflict(str(error)) from error
        return Response(PhotoSerializer(photo).data, status=status.HTTP_202_ACCEPTED)


class RetryPhotoView(APIView):
    """Try a failed photo again."""

    @extend_schema(request=None, responses={202: PhotoSerializer, 409: OpenApiResponse(description="It has not failed, or never will do.")})
    def post(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Have it looked at again."""
        try:
            photo = retry_photo(owner_of(request), pk, photo_id)
        except PersonPhoto.DoesNotExist as error:
            raise NotFound from error
        except WrongState as error:
            raise Conflict(str(error)) from error
        return Response(PhotoSerializer(photo).data, status=status.HTTP_202_ACCEPTED)


def _of(request: Request, person_id: UUID) -> QuerySet[PersonPhoto]:
    return PersonPhoto.objects.filter(person=person_id, owner=owner_of(request))
