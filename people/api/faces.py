"""The faces of a person, and those that nobody has named yet."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import owner_of
from heimdex.storage import media_storage
from people.actions.name_group import name_group
from people.actions.rule_face import rule_face
from people.appearances import matches_of
from people.groups import unknown_faces, unknown_groups
from people.models import FaceGroup, FaceMatch, Person, SceneFace
from people.names import LONGEST_NAME
from videos.actions.errors import Refused

NO_FACE = {404: OpenApiResponse(description="You have no such person, or no such face.")}
# How many faces of a group are shown.
SHOWN_FACES = 6


class FaceSerializer(serializers.Serializer[Any]):
    """A face in a scene."""

    id = serializers.UUIDField()
    video_id = serializers.UUIDField()
    scene_id = serializers.UUIDField()
    time_s = serializers.FloatField(help_text="When it is seen best, from the video's start.")
    first_s = serializers.FloatField()
    last_s = serializers.FloatField()
    quality = serializers.FloatField(help_text="0 to 1")
    thumbnail_url = serializers.SerializerMethodField()

    def get_thumbnail_url(self, face: SceneFace) -> str:
        """Return a signed, expiring address of the face's picture."""
        return face_thumbnail(face)


class MatchedFaceSerializer(serializers.Serializer[Any]):
    """A face that is taken for a person's."""

    probability = serializers.FloatField(help_text="0 to 1; 1 where you have said so.")
    face = FaceSerializer()


class GroupSerializer(serializers.Serializer[Any]):
    """Faces that look like one person, whom nobody has named."""

    id = serializers.UUIDField()
    scenes = serializers.IntegerField()
    videos = serializers.IntegerField()
    faces = serializers.SerializerMethodField(help_text="The best of them.")

    @extend_schema_field(FaceSerializer(many=True))
    def get_faces(self, group: FaceGroup) -> Any:
        """Return the faces that `with_best_faces` has read."""
        return FaceSerializer(vars(group)["best_faces"], many=True).data


class NameSerializer(serializers.Serializer[Any]):
    """Who it is: one of the two."""

    name = serializers.CharField(max_length=LONGEST_NAME, required=False, default="")
    person_id = serializers.UUIDField(required=False, allow_null=True, default=None)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Refuse neither and both."""
        if bool(given["name"]) == bool(given["person_id"]):
            raise serializers.ValidationError({"name": "Give a name, or the person_id of somebody you have already."})
        return given


class PersonIdSerializer(serializers.Serializer[Any]):
    """Who it is now."""

    person_id = serializers.UUIDField()
    name = serializers.CharField()


class PersonFacesView(ListAPIView[FaceMatch]):
    """The faces in scenes that are taken for a person's, the surest first."""

    queryset = FaceMatch.objects.none()
    serializer_class = MatchedFaceSerializer

    def get_queryset(self) -> QuerySet[FaceMatch]:
        """Return the matches of a person of the asking owner alone."""
        return faces_of(get_object_or_404(Person, pk=self.kwargs["pk"], owner=owner_of(self.request)))


class PersonFaceView(APIView):
    """Whether a face is a person's."""

    @extend_schema(request=None, responses={204: None, **NO_FACE})
    def put(self, request: Request, pk: UUID, face_id: UUID) -> Response:
        """Say that it is."""
        return self._rule(request, pk, face_id, is_person=True)

    @extend_schema(responses={204: None, **NO_FACE})
    def delete(self, request: Request, pk: UUID, face_id: UUID) -> Response:
        """Say that it is not: it is taken out, and stays out."""
        return self._rule(request, pk, face_id, is_person=False)

    def _rule(self, request: Request, pk: UUID, face_id: UUID, *, is_person: bool) -> Response:
        try:
            rule_face(owner_of(request), pk, face_id, is_person=is_person)
        except (Person.DoesNotExist, SceneFace.DoesNotExist) as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class GroupsView(ListAPIView[FaceGroup]):
    """Groups of unknown faces that look like one person, those in most scenes first."""

    queryset = FaceGroup.objects.none()
    serializer_class = GroupSerializer

    def get_queryset(self) -> QuerySet[FaceGroup]:
        """Return the asking owner's groups alone."""
        return with_best_faces(owner_of(self.request).pk)


class NameGroupView(APIView):
    """Say who a group of faces is."""

    @extend_schema(
        request=NameSerializer, responses={200: PersonIdSerializer, 404: OpenApiResponse(description="You have no such group, or person.")}
    )
    def post(self, request: Request, group_id: UUID) -> Response:
        """Give its faces to a person, who is added when the name is new; the best faces become the person's photos."""
        get_object_or_404(FaceGroup, pk=group_id, owner=owner_of(request))
        body = NameSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            person = name_group(owner_of(request), group_id, **body.validated_data)
        except (FaceGroup.DoesNotExist, Person.DoesNotExist) as error:
            raise NotFound from error
        except Refused as error:
            raise ValidationError({error.field or "name": [str(error)]}) from error
        return Response(PersonIdSerializer({"person_id": person.pk, "name": person.name}).data)


def face_thumbnail(face: SceneFace) -> str:
    """Return a signed, expiring address of the face's picture."""
    return media_storage().download_url(face.thumbnail_key, settings.LINK_TTL_SECONDS)


def faces_of(person: Person) -> QuerySet[FaceMatch]:
    """Return the matches of a person with their faces, scenes and videos, the surest first."""
    matches = matches_of(person.owner_id).filter(person=person)
    return matches.select_related("face__scene", "face__video").order_by("-probability", "face__video__created_at", "face__time_s", "pk")


def with_best_faces(owner_id: UUID) -> QuerySet[FaceGroup]:
    """Return an owner's unknown groups, each with its best faces as `best_faces`; one more query for all of them."""
    best = Prefetch("faces", queryset=unknown_faces(owner_id)[:SHOWN_FACES], to_attr="best_faces")
    return unknown_groups(owner_id).prefetch_related(best)
