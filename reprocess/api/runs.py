"""Plan, start and control runs over HTTP."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from heimdex.accounts.owner import get_owner
from heimdex.api import Pages
from reprocess.actions.runs import CONTROLS
from reprocess.actions.trials import DEFAULT_SIZE, MAX_SIZE, start_trial
from reprocess.models import ReprocessRun
from reprocess.planning.plan_serializer import PlanSerializer, serialize_plan
from reprocess.planning.scope import Scope, ScopeError, ScopeNotFound
from reprocess.reports.runs import FailureSerializer, RunSerializer, format_queued_message
from reprocess.reports.trials import format_queued_trial
from reprocess.runs.requests import plan_run, start_run


class ReprocessRequestSerializer(serializers.Serializer[Any]):
    """The scope and the options of a run."""

    scope = serializers.ChoiceField(choices=ReprocessRun.Scope.choices)
    video_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    owner_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    force = serializers.BooleanField(default=False, help_text="Recompute the whole scope, not only what is stale.")
    since = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="Only videos updated since then.")
    max_cost = serializers.DecimalField(
        max_digits=14, decimal_places=6, min_value=Decimal(0), required=False, allow_null=True, default=None
    )
    cutover = serializers.BooleanField(default=True, help_text="Switch each owner's search automatically when the owner is complete.")


class TrialRequestSerializer(serializers.Serializer[Any]):
    """The scope and the options of a trial."""

    scope = serializers.ChoiceField(choices=ReprocessRun.Scope.choices)
    video_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    owner_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    since = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="Only videos updated since then.")
    size = serializers.IntegerField(
        min_value=1, max_value=MAX_SIZE, default=DEFAULT_SIZE, help_text="The most scenes of each owner that are computed."
    )
    max_cost = serializers.DecimalField(
        max_digits=14, decimal_places=6, min_value=Decimal(0), required=False, allow_null=True, default=None
    )


class ReprocessQueuedSerializer(serializers.Serializer[Any]):
    """A queued run."""

    status = serializers.CharField()
    spec_version = serializers.CharField()
    scope = serializers.CharField()
    video_count = serializers.IntegerField()
    message = serializers.CharField()
    run_id = serializers.UUIDField()
    status_url = serializers.CharField()


class ReprocessView(APIView):
    """Bring embeddings to the latest spec."""

    permission_classes = (IsAdminUser,)

    @extend_schema(request=ReprocessRequestSerializer, responses={202: ReprocessQueuedSerializer})
    def post(self, request: Request) -> Response:
        """Queue a run over one video, one owner's videos or all videos."""
        scope, options = _parse_request(request, ReprocessRequestSerializer)
        try:
            run = start_run(
                scope,
                force=options["force"],
                entry_point=ReprocessRun.EntryPoint.API,
                requested_by=get_owner(request),
                max_cost=options["max_cost"],
                automatic_cutover=options["cutover"],
            )
        except ScopeNotFound as error:
            raise NotFound(str(error)) from error
        return _answer_queued(request, run, format_queued_message(run))


class PlanView(APIView):
    """Plan a run without starting it."""

    permission_classes = (IsAdminUser,)

    @extend_schema(request=ReprocessRequestSerializer, responses={200: PlanSerializer})
    def post(self, request: Request) -> Response:
        """Return what a run with this request would do, and why."""
        scope, options = _parse_request(request, ReprocessRequestSerializer)
        try:
            return Response(serialize_plan(plan_run(scope, force=options["force"])))
        except ScopeNotFound as error:
            raise NotFound(str(error)) from error


class TrialView(APIView):
    """Try a change of models on a sample before the full run."""

    permission_classes = (IsAdminUser,)

    @extend_schema(
        request=TrialRequestSerializer,
        responses={202: ReprocessQueuedSerializer, 409: OpenApiResponse(description="There is nothing to try. The reason is in `detail`.")},
    )
    def post(self, request: Request) -> Response:
        """Queue a trial: compute a sample beside the old vectors, and compare both sides with the owners' judged and recorded queries.

        It is a run. `status_url` shows its state and, at its end, what the full run would gain, cost and take. Search stays as it is.
        """
        scope, options = _parse_request(request, TrialRequestSerializer)
        try:
            run = start_trial(
                scope,
                size=options["size"],
                entry_point=ReprocessRun.EntryPoint.API,
                requested_by=get_owner(request),
                max_cost=options["max_cost"],
            )
        except ScopeNotFound as error:
            raise NotFound(str(error)) from error
        return _answer_queued(request, run, format_queued_trial(run))


@extend_schema_view(
    list=extend_schema(description="List all runs, newest first."),
    retrieve=extend_schema(description="Show a run with its progress and counters."),
)
class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[ReprocessRun]):
    """All runs, newest first."""

    permission_classes = (IsAdminUser,)
    serializer_class = RunSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[ReprocessRun]:
        """Return the runs with their details."""
        return ReprocessRun.objects.prefetch_details()

    def _control(self, name: str) -> Response:
        run = self.get_object()
        CONTROLS[name](run.pk)
        return Response(RunSerializer(self.get_queryset().get(pk=run.pk)).data)

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Pause a run after the current batch."""
        return self._control("pause")

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Resume a paused run."""
        return self._control("resume")

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a run. The vectors that it has computed are kept."""
        return self._control("cancel")

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"], url_path="retry-failed")
    def retry_failed(self, request: Request, pk: str) -> Response:
        """Recompute only what failed in a run."""
        return self._control("retry-failed")

    @extend_schema(responses=FailureSerializer(many=True))
    @action(detail=True)
    def failures(self, request: Request, pk: str) -> Response:
        """List the failures of a run with their reasons."""
        pages = Pages()
        page = pages.paginate_queryset(self.get_object().failures.all(), request, view=self)
        return pages.get_paginated_response(FailureSerializer(page, many=True).data)


def _answer_queued(request: Request, run: ReprocessRun, message: str) -> Response:
    answer = {
        "status": "queued",
        "spec_version": run.spec_version,
        "scope": run.scope,
        "video_count": run.video_count,
        "message": message,
        "run_id": run.pk,
        "status_url": request.build_absolute_uri(reverse("reprocess-run-detail", args=[run.pk])),
    }
    return Response(ReprocessQueuedSerializer(answer).data, status=status.HTTP_202_ACCEPTED)


def _parse_request(request: Request, serializer: type[serializers.Serializer[Any]]) -> tuple[Scope, dict[str, Any]]:
    """Return the scope and all fields of a request body. Raise ValidationError that names the invalid field."""
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    options = body.validated_data
    try:
        return Scope(options["scope"], options["video_id"], options["owner_id"], options["since"]), options
    except ScopeError as error:
        raise ValidationError({error.field: [str(error)]}) from error
