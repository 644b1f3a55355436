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
from reprocess.actions.control import CONTROLS
from reprocess.actions.errors import WrongState
from reprocess.actions.plan_run import plan_run
from reprocess.actions.start_run import queued_message, start_run
from reprocess.api.serializers import FailureSerializer, ReprocessQueuedSerializer, ReprocessRequestSerializer, RunSerializer
from reprocess.models import ReprocessRun
from reprocess.scope import Scope, ScopeError, ScopeNotFound
from videos.api.errors import Conflict


class ReprocessView(APIView):
    """Bring embeddings to the latest spec."""

    permission_classes = (IsAdminUser,)

    @extend_schema(request=ReprocessRequestSerializer, responses={202: ReprocessQueuedSerializer})
    def post(self, request: Request) -> Response:
        """Queue a run over one video, one owner's or all."""
        scope, asked = parse(request)
        try:
            run = start_run(
                scope,
                force=asked["force"],
                entrance=ReprocessRun.Entrance.API,
                requested_by=owner_of(request),
                max_cost=asked["max_cost"],
                automatic_cutover=asked["cutover"],
            )
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
        scope, asked = parse(request)
        try:
            return Response(plan_run(scope, force=asked["force"]).as_data())
        except ScopeNotFound as error:
            raise NotFound(str(error)) from error


class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[ReprocessRun]):
    """All runs, newest first."""

    permission_classes = (IsAdminUser,)
    serializer_class = RunSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[ReprocessRun]:
        """Return the runs with what the answer shows."""
        return ReprocessRun.objects.shown()

    def _control(self, name: str) -> Response:
        run = self.get_object()
        try:
            CONTROLS[name](run.pk)
        except WrongState as error:
            raise Conflict(str(error)) from error
        return Response(RunSerializer(self.get_queryset().get(pk=run.pk)).data)

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Stop at the next border between batches."""
        return self._control("pause")

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on with a paused run."""
        return self._control("resume")

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End a run; what is computed stays."""
        return self._control("cancel")

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"], url_path="retry-failed")
    def retry_failed(self, request: Request, pk: str) -> Response:
        """Compute again what failed, and nothing else."""
        return self._control("retry-failed")

    @extend_schema(responses=FailureSerializer(many=True))
    @action(detail=True)
    def failures(self, request: Request, pk: str) -> Response:
        """List what a run could not do, and why."""
        pages = Pages()
        page = pages.paginate_queryset(self.get_object().failures.all(), request, view=self)
        return pages.get_paginated_response(FailureSerializer(page, many=True).data)


def parse(request: Request) -> tuple[Scope, dict[str, Any]]:
    """Return the scope and all fields of a request's body; a 400 names the field at fault."""
    body = ReprocessRequestSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    asked = body.validated_data
    try:
        return Scope(asked["scope"], asked["video_id"], asked["owner_id"], asked["since"]), asked
    except ScopeError as error:
        raise ValidationError({error.field: [str(error)]}) from error
