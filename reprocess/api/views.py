"""Start, plan and watch runs over HTTP."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import owner_of
from heimdex.api import Pages
from reprocess.actions.plan_run import plan_run
from reprocess.actions.start_run import queued_message, start_run
from reprocess.api.serializers import FailureSerializer, ReprocessQueuedSerializer, ReprocessRequestSerializer, RunSerializer
from reprocess.models import ReprocessRun
from reprocess.scope import Scope, ScopeError, ScopeNotFound


class ReprocessView(APIView):
    """Bring embeddings to the latest spec."""

    permission_classes = (IsAdminUser,)

    @extend_schema(request=ReprocessRequestSerializer, responses={202: ReprocessQueuedSerializer})
    def post(self, request: Request) -> Response:
        """Queue a run over one video, one owner's or all."""
        scope, force = parse(request)
        try:
            run = start_run(scope, force=force, entrance=ReprocessRun.Entrance.API, requested_by=owner_of(request))
        except ScopeNotFound as error:
            raise NotFound(str(error)) from error
        answer = {
            "status": "queued",
            "spec_version": run.spec_version,
            "scope": run.scope,
            "video_count": run.video_count,
            "message": queued_message(run),
            "run_id": run.pk,
            "status_url": request.build_absolute_uri(reverse("reprocess-run-detail", args=[run.pk])),
        }
        return Response(ReprocessQueuedSerializer(answer).data, status=status.HTTP_202_ACCEPTED)


class PlanView(APIView):
    """Say what a run would do."""

    permission_classes = (IsAdminUser,)

    @extend_schema(request=ReprocessRequestSerializer, responses={200: dict[str, Any]})
    def post(self, request: Request) -> Response:
        """Return the plan of the same request, without starting it."""
        scope, force = parse(request)
        try:
            return Response(plan_run(scope, force=force).as_data())
        except ScopeNotFound as error:
            raise NotFound(str(error)) from error


class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[ReprocessRun]):
    """All runs, newest first."""

    permission_classes = (IsAdminUser,)
    serializer_class = RunSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[ReprocessRun]:
        """Return the runs with what the answer shows."""
        return ReprocessRun.objects.select_related("requested_by").prefetch_related("counters")

    @extend_schema(responses=FailureSerializer(many=True))
    @action(detail=True)
    def failures(self, request: Request, pk: str) -> Response:
        """List what a run could not do, and why."""
        pages = Pages()
        page = pages.paginate_queryset(self.get_object().failures.all(), request, view=self)
        return pages.get_paginated_response(FailureSerializer(page, many=True).data)


def parse(request: Request) -> tuple[Scope, bool]:
    """Return the scope and `force` of a request's body; a 400 names the field at fault."""
    body = ReprocessRequestSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    asked = body.validated_data
    try:
        return Scope(asked["scope"], asked["video_id"], asked["owner_id"], asked["since"]), asked["force"]
    except ScopeError as error:
        raise ValidationError({error.field: [str(error)]}) from error
