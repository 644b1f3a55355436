"""The faces of a person, and the groups of unnamed faces."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from heimdex.errors import Refused
from people.actions.faces import label_face
from people.actions.groups import name_group
from people.models import FaceGroup, FaceMatch, Person, SceneFace
from people.names import MAX_NAME_LENGTH
from people.queries import find_person_matches, find_unnamed_groups_with_faces

NOT_FOUND = {404: OpenApiResponse(description="You have no such person or face.")}


class FaceSerializer(serializers.Serializer[Any]):
    """A face in a scene."""

    id = serializers.UUIDField()
    video_id = serializers.UUIDField()
    scene_id = serializers.UUIDField()
    time_s = serializers.FloatField(help_text="Time of the best view, in seconds from the start of the video.")
    first_s = serializers.FloatField()
    last_s = serializers.FloatField()
    quality = serializers.FloatField(help_text="0 to 1")
    thumbnail_url = serializers.CharField(help_text="A signed, expiring URL.")


class MatchedFaceSerializer(serializers.Serializer[Any]):
    """A face that matches a person."""

    probability = serializers.FloatField(help_text="0 to 1; 1 where you have labeled the face.")
    face = FaceSerializer()


class GroupSerializer(serializers.Serializer[Any]):
    """Unnamed faces that look like one person."""

    id = serializers.UUIDField()
    scenes = serializers.IntegerField()
    videos = serializers.IntegerField()
    faces = serializers.SerializerMethodField(help_text="The best views.")

    @extend_schema_field(FaceSerializer(many=True))
    def get_faces(self, group: FaceGroup) -> Any:
        """Return the faces that `find_unnamed_groups_with_faces` has prefetched."""
        return FaceSerializer(vars(group)["best_faces"], many=True).data


class NameSerializer(serializers.Serializer[Any]):
    """The person that a group belongs to: either a name or an id."""

    name = serializers.CharField(max_length=MAX_NAME_LENGTH, required=False, default="")
    person_id = serializers.UUIDField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raise ValidationError unless exactly one of both is given."""
        if bool(attrs["name"]) == bool(attrs["person_id"]):
            raise serializers.ValidationError({"name": "Give either a name or the person_id of an existing person."})
        return attrs


class PersonIdSerializer(serializers.Serializer[Any]):
    """The person that a group now belongs to."""

    person_id = serializers.UUIDField()
    name = serializers.CharField()


class PersonFacesView(ListAPIView[FaceMatch]):
    """The faces in scenes that match a person, the most probable first."""

    queryset = FaceMatch.objects.none()
    serializer_class = MatchedFaceSerializer

    def get_queryset(self) -> QuerySet[FaceMatch]:
        """Return the matches of one of the owner's people."""
        return find_person_matches(get_object_or_404(Person, pk=self.kwargs["pk"], owner=get_owner(self.request)))


class PersonFaceView(APIView):
    """The label of a face: whether it is a person's."""

    @extend_schema(request=None, responses={204: None, **NOT_FOUND})
    def put(self, request: Request, pk: UUID, face_id: UUID) -> Response:
        """Label the face as this person's."""
        return self._label(request, pk, face_id, is_person=True)

    @extend_schema(responses={204: None, **NOT_FOUND})
    def delete(self, request: Request, pk: UUID, face_id: UUID) -> Response:
        """Label the face as not this person's. It is not matched to this person again."""
        return self._label(request, pk, face_id, is_person=False)

    def _label(self, request: Request, pk: UUID, face_id: UUID, *, is_person: bool) -> Response:
        try:
            label_face(get_owner(request), pk, face_id, is_person=is_person)
        except (Person.DoesNotExist, SceneFace.DoesNotExist) as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class GroupsView(ListAPIView[FaceGroup]):
    """Groups of unnamed faces that look like one person, those in most scenes first."""

    queryset = FaceGroup.objects.none()
    serializer_class = GroupSerializer

    def get_queryset(self) -> QuerySet[FaceGroup]:
        """Return the owner's unnamed groups."""
        return find_unnamed_groups_with_faces(get_owner(self.request).pk)


class NameGroupView(APIView):
    """The name of a group of faces."""

    @extend_schema(
        request=NameSerializer, responses={200: PersonIdSerializer, 404: OpenApiResponse(description="You have no such group or person.")}
    )
    def post(self, request: Request, group_id: UUID) -> Response:
        """Give the faces of a group to a person. A new name adds a person. The best faces become photos of the person."""
        get_object_or_404(FaceGroup, pk=group_id, owner=get_owner(request))
        body = NameSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            person = name_group(get_owner(request), group_id, **body.validated_data)
        except (FaceGroup.DoesNotExist, Person.DoesNotExist) as error:
            raise NotFound from error
        except Refused as error:
            raise ValidationError({error.field or "name": [str(error)]}) from error
        return Response(PersonIdSerializer({"person_id": person.pk, "name": person.name}).data)
