"""List, make and roll back cutovers over HTTP."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.models import User
from heimdex.accounts.owner import get_owner
from reprocess.actions.cutovers import Rollback, cut_over, roll_back
from reprocess.models import Cutover


class CutoverSerializer(serializers.ModelSerializer[Cutover]):
    """A switch of an owner's search to other spaces, or why it was refused, with the comparison of the results."""

    class Meta:
        model = Cutover
        fields = ("id", "owner_id", "run_id", "state", "before", "after", "report", "reason", "created_at", "rolled_back_at")


class CutoverRequestSerializer(serializers.Serializer[Any]):
    """The owner whose search to switch. `force` switches even if the results change too much."""

    owner_id = serializers.UUIDField()
    force = serializers.BooleanField(default=False)


class CutoverQuerySerializer(serializers.Serializer[Any]):
    """The filters of the list of cutovers."""

    owner_id = serializers.UUIDField(required=False)
    run_id = serializers.UUIDField(required=False)


class RollbackSerializer(serializers.Serializer[Rollback]):
    """A rollback, the run that adds newer videos to the earlier spaces, and a sentence per channel that cannot be filled."""

    cutover = CutoverSerializer()
    catch_up_run_id = serializers.UUIDField(allow_null=True)
    left_out = serializers.ListField(child=serializers.CharField())


@extend_schema_view(retrieve=extend_schema(description="Show a cutover with the comparison of the results."))
class CutoverViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Cutover]):
    """All cutovers, newest first."""

    permission_classes = (IsAdminUser,)
    queryset = Cutover.objects.all()
    serializer_class = CutoverSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Cutover]:
        """Filter the cutovers by the query parameters."""
        query = CutoverQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return super().get_queryset().filter(**query.validated_data)

    @extend_schema(parameters=[OpenApiParameter("owner_id", UUID), OpenApiParameter("run_id", UUID)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List cutovers, optionally of one owner or run."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=CutoverRequestSerializer, responses={201: CutoverSerializer})
    def create(self, request: Request) -> Response:
        """Switch an owner's search to the latest spaces. A 409 names the reason of a refusal."""
        body = CutoverRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner_id = body.validated_data["owner_id"]
        if not User.objects.filter(pk=owner_id).exists():
            raise NotFound(f"There is no owner {owner_id}.")
        cutover = cut_over(owner_id, force=body.validated_data["force"])
        return Response(CutoverSerializer(cutover).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=RollbackSerializer)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, pk: UUID) -> Response:
        """Switch the owner's search back to the earlier spaces. A 409 names the reason of a refusal."""
        return Response(RollbackSerializer(roll_back(self.get_object().pk, get_owner(request))).data)
