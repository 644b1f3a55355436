"""Upload, list, delete and retry a person's photos."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from heimdex.uploads.api import DISK_FULL, UploadTargetSerializer, describe_target
from heimdex.uploads.flow import UploadRequest
from people.actions.photos import complete_photo_upload, delete_photo, init_photo_upload, renew_photo_upload_url, retry_photo
from people.api.serializers import PhotoSerializer, UploadUrlAnswerSerializer, UploadUrlSerializer
from people.models import Person, PersonPhoto

NOT_FOUND = {404: OpenApiResponse(description="You have no such photo.")}


class PhotosView(ListAPIView[PersonPhoto]):
    """The photos of a person."""

    queryset = PersonPhoto.objects.none()
    serializer_class = PhotoSerializer

    @extend_schema(operation_id="persons_photos_list")
    def get(self, request: Request, pk: UUID) -> Response:
        """List the photos with their states and errors, the oldest first."""
        person = get_object_or_404(Person, pk=pk, owner=get_owner(request))
        page = self.paginate_queryset(PersonPhoto.objects.filter(person=person).order_by("created_at", "pk"))
        return self.get_paginated_response(PhotoSerializer(page, many=True).data)


class UploadUrlView(APIView):
    """The start of a photo upload."""

    @extend_schema(
        request=UploadUrlSerializer,
        responses={
            201: UploadUrlAnswerSerializer,
            409: OpenApiResponse(description="The person is archived or has the maximum number of photos, or face recognition is off."),
            507: DISK_FULL,
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Create a photo and return the URL to PUT its bytes to."""
        get_object_or_404(Person, pk=pk, owner=get_owner(request))
        body = UploadUrlSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            photo, target = init_photo_upload(get_owner(request), pk, UploadRequest(**body.validated_data))
        except Person.DoesNotExist as error:
            raise NotFound from error
        answer = {"photo_id": photo.pk, **describe_target(request, target)}
        return Response(UploadUrlAnswerSerializer(answer).data, status=status.HTTP_201_CREATED)


class PhotoView(APIView):
    """One photo."""

    @extend_schema(operation_id="persons_photos_retrieve", responses={200: PhotoSerializer, **NOT_FOUND})
    def get(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Show the photo with its state and error."""
        return Response(PhotoSerializer(get_object_or_404(_list_photos(request, pk), pk=photo_id)).data)

    @extend_schema(operation_id="persons_photos_destroy", responses={204: None, **NOT_FOUND})
    def delete(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Delete the photo. The person is then found by the remaining photos."""
        try:
            delete_photo(get_owner(request), pk, photo_id)
        except PersonPhoto.DoesNotExist as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class RenewUploadUrlView(APIView):
    """The URL of a photo upload."""

    @extend_schema(
        operation_id="persons_photos_renew_upload_url",
        request=None,
        responses={
            200: UploadTargetSerializer,
            **NOT_FOUND,
            409: OpenApiResponse(description="The upload was completed or has expired."),
        },
    )
    def post(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Return a new URL to PUT the photo's bytes to. URLs of S3 work for 15 minutes; uploads may start later."""
        try:
            target = renew_photo_upload_url(get_owner(request), pk, photo_id)
        except PersonPhoto.DoesNotExist as error:
            raise NotFound from error
        return Response(UploadTargetSerializer(describe_target(request, target)).data)


class CompletePhotoView(APIView):
    """The end of a photo upload."""

    @extend_schema(
        request=None, responses={202: PhotoSerializer, 409: OpenApiResponse(description="No file, or one of another size, has arrived.")}
    )
    def post(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Queue the uploaded photo for processing. A repeated call returns the same answer."""
        try:
            photo = complete_photo_upload(get_owner(request), pk, photo_id)
        except PersonPhoto.DoesNotExist as error:
            raise NotFound from error
        return Response(PhotoSerializer(photo).data, status=status.HTTP_202_ACCEPTED)


class RetryPhotoView(APIView):
    """The retry of a failed photo."""

    @extend_schema(
        request=None,
        responses={202: PhotoSerializer, 409: OpenApiResponse(description="The photo has not failed, or a retry cannot succeed.")},
    )
    def post(self, request: Request, pk: UUID, photo_id: UUID) -> Response:
        """Queue a failed photo again."""
        try:
            photo = retry_photo(get_owner(request), pk, photo_id)
        except PersonPhoto.DoesNotExist as error:
            raise NotFound from error
        return Response(PhotoSerializer(photo).data, status=status.HTTP_202_ACCEPTED)


def _list_photos(request: Request, person_id: UUID) -> QuerySet[PersonPhoto]:
    return PersonPhoto.objects.filter(person=person_id, owner=get_owner(request))
