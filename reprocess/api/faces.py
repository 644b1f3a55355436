"""An owner's own switch for faces, over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import owner_of
from people.switch import why_no_faces
from reprocess.actions.errors import WrongState
from reprocess.actions.switch_faces import switch_faces_off, switch_faces_on
from reprocess.models import ReprocessRun
from videos.api.errors import Conflict


class FaceSwitchSerializer(serializers.Serializer[Any]):
    """Whether faces are to be looked for."""

    find_faces = serializers.BooleanField(help_text="false also erases all people, photos and faces that you have.")


class FaceSwitchAnswerSerializer(FaceSwitchSerializer):
    """Whether they are, and why not."""

    reason = serializers.CharField(help_text="Why none is looked for; empty when they are.")


class FaceSwitchView(APIView):
    """Whether faces are looked for in the videos of who asks."""

    @extend_schema(responses=FaceSwitchAnswerSerializer)
    def get(self, request: Request) -> Response:
        """Say whether they are."""
        return self._answer(request)

    @extend_schema(request=FaceSwitchSerializer, responses=FaceSwitchAnswerSerializer)
    def put(self, request: Request) -> Response:
        """Switch: off erases what is known, on queues a look through the videos that are there."""
        body = FaceSwitchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner = owner_of(request)
        if not body.validated_data["find_faces"]:
            switch_faces_off(owner.pk)
        elif not owner.find_faces:
            try:
                switch_faces_on(owner, entrance=ReprocessRun.Entrance.OWNER, requested_by=owner)
            except WrongState as error:
                raise Conflict(str(error)) from error
        owner.refresh_from_db(fields=["find_faces"])
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        owner = owner_of(request)
        reason = why_no_faces(owner)
        return Response({"find_faces": not reason, "reason": reason})
