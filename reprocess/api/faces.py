"""Read and change an owner's face recognition setting over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from people.face_settings import get_faces_disabled_reason
from reprocess.actions.faces import turn_faces_off, turn_faces_on
from reprocess.models import ReprocessRun


class FaceSwitchSerializer(serializers.Serializer[Any]):
    """The setting for face recognition."""

    find_faces = serializers.BooleanField(help_text="false also erases all your people, photos and faces.")


class FaceSwitchAnswerSerializer(FaceSwitchSerializer):
    """Whether face recognition is on for you, and if not, why."""

    reason = serializers.CharField(help_text="Why face recognition is off; empty when it is on.")


class FaceSwitchView(APIView):
    """Face recognition in your videos."""

    @extend_schema(responses=FaceSwitchAnswerSerializer)
    def get(self, request: Request) -> Response:
        """Return whether face recognition is on."""
        return self._answer(request)

    @extend_schema(request=FaceSwitchSerializer, responses=FaceSwitchAnswerSerializer)
    def put(self, request: Request) -> Response:
        """Turn face recognition off, which erases all your people, photos and faces, or on, which queues a run over your videos."""
        body = FaceSwitchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner = get_owner(request)
        if not body.validated_data["find_faces"]:
            turn_faces_off(owner.pk)
        elif not owner.find_faces:
            turn_faces_on(owner, entry_point=ReprocessRun.EntryPoint.OWNER, requested_by=owner)
        owner.refresh_from_db(fields=["find_faces"])
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        owner = get_owner(request)
        reason = get_faces_disabled_reason(owner)
        return Response({"find_faces": not reason, "reason": reason})
