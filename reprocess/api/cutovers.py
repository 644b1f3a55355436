"""List, make and roll back cutovers over HTTP."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.models import User
from heimdex.accounts.owner import get_owner
from heimdex.api import Conflict
from reprocess.actions.cutovers import CutoverRefused, RollbackRefused, cut_over, roll_back
from reprocess.models import Cutover


class CutoverSerializer(serializers.ModelSerializer[Cutover]):
    """A switch of an owner's search between spaces, or why it was refused, with the comparison of both sides."""

    class Meta:
        model = Cutover
        fields = ("id", "owner_id", "run_id", "state", "before", "after", "report", "reason", "created_at", "rolled_back_at")


class CutoverRequestSerializer(serializers.Serializer[Any]):
    """The owner whose search to switch; `force` ignores the limit on changed answers."""

    owner_id = serializers.UUIDField()
    force = serializers.BooleanField(default=False)


class CutoverQuerySerializer(serializers.Serializer[Any]):
    """The filters of the list of cutovers."""

    owner_id = serializers.UUIDField(required=False)
    run_id = serializers.UUIDField(required=False)


class RolledBackSerializer(serializers.Serializer[Any]):
    """A rollback, the run that brings newer videos to the earlier spaces, and the channels that it cannot bring."""

    cutover = CutoverSerializer()
    catch_up_run_id = serializers.UUIDField(allow_null=True)
    left_out = serializers.ListField(child=serializers.CharField())


class CutoverViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Cutover]):
    """All cutovers, newest first."""

    permission_classes = (IsAdminUser,)
    queryset = Cutover.objects.all()
    serializer_class = CutoverSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Cutover]:
        """Return the cutovers that match the query parameters."""
        query = CutoverQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return super().get_queryset().filter(**query.validated_data)

    @extend_schema(parameters=[OpenApiParameter("owner_id", UUID), OpenApiParameter("run_id", UUID)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List cutovers, optionally of one owner or run."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=CutoverRequestSerializer, responses={201: CutoverSerializer})
    def create(self, request: Request) -> Response:
        """Switch an owner's search to the latest spaces. 409 explains a refusal."""
        body = CutoverRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner_id = body.validated_data["owner_id"]
        if not User.objects.filter(pk=owner_id).exists():
            raise NotFound(f"There is no owner {owner_id}.")
        try:
            cutover = cut_over(owner_id, force=body.validated_data["force"])
        except CutoverRefused as error:
            raise Conflict(str(error)) from error
        return Response(CutoverSerializer(cutover).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=RolledBackSerializer)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, pk: UUID) -> Response:
        """Switch the owner's search back to the spaces it read before. 409 explains a refusal."""
        try:
            undone = roll_back(self.get_object().pk, get_owner(request))
        except RollbackRefused as error:
            raise Conflict(str(error)) from error
        answer = {
            "cutover": undone.cutover,
            "catch_up_run_id": undone.catch_up.pk if undone.catch_up else None,
            "left_out": list(undone.left_out),
        }
        return Response(RolledBackSerializer(answer).data)
