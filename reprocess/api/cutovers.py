"""Watch, make and undo cutovers over HTTP."""

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
from heimdex.accounts.owner import owner_of
from reprocess.actions.cut_over import CutoverRefused, cut_over
from reprocess.actions.roll_back import CannotRollBack, roll_back
from reprocess.models import Cutover
from videos.api.errors import Conflict


class CutoverSerializer(serializers.ModelSerializer[Cutover]):
    """What was switched for an owner, or why it was not, and what the comparison had said."""

    class Meta:
        model = Cutover
        fields = ("id", "owner_id", "run_id", "state", "before", "after", "report", "reason", "created_at", "rolled_back_at")


class CutoverRequestSerializer(serializers.Serializer[Any]):
    """Whose search to switch; `force` despite answers that change more than the settings allow."""

    owner_id = serializers.UUIDField()
    force = serializers.BooleanField(default=False)


class CutoverQuerySerializer(serializers.Serializer[Any]):
    """Which cutovers to list."""

    owner_id = serializers.UUIDField(required=False)
    run_id = serializers.UUIDField(required=False)


class RolledBackSerializer(serializers.Serializer[Any]):
    """A cutover that was undone, and the run that brings what arrived since to the earlier spaces."""

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
        """Return the cutovers that the query asks for."""
        wanted = CutoverQuerySerializer(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        return super().get_queryset().filter(**wanted.validated_data)

    @extend_schema(parameters=[OpenApiParameter("owner_id", UUID), OpenApiParameter("run_id", UUID)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List cutovers, of one owner or run if asked."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=CutoverRequestSerializer, responses={201: CutoverSerializer})
    def create(self, request: Request) -> Response:
        """Switch an owner's search to the latest spaces; 409 says why not."""
        body = CutoverRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner_id = body.validated_data["owner_id"]
        if not User.objects.filter(pk=owner_id).exists():
            raise NotFound(f"There is no owner {owner_id}.")
        try:
            made = cut_over(owner_id, force=body.validated_data["force"])
        except CutoverRefused as error:
            raise Conflict(str(error)) from error
        return Response(CutoverSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=RolledBackSerializer)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, pk: UUID) -> Response:
        """Switch back to what the owner's search read before, at once; 409 says why not."""
        try:
            undone = roll_back(self.get_object().pk, owner_of(request))
        except CannotRollBack as error:
            raise Conflict(str(error)) from error
        answer = {
            "cutover": undone.cutover,
            "catch_up_run_id": undone.catch_up.pk if undone.catch_up else None,
            "left_out": list(undone.left_out),
        }
        return Response(RolledBackSerializer(answer).data)
