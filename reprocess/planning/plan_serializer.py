"""The JSON form of a plan, as the plan endpoint returns it, `--dry-run --json` prints it, and a run's row stores it."""

from typing import Any

from rest_framework import serializers

from reprocess.planning.plan import Plan


class OwnerCountsSerializer(serializers.Serializer[Any]):
    """An owner's share of a plan over everything."""

    owner_id = serializers.UUIDField()
    scenes = serializers.IntegerField(help_text="The owner's scenes in the scope.")
    stale = serializers.IntegerField(help_text="Vectors to compute and documents to write for this owner.")


class ChannelPlanSerializer(serializers.Serializer[Any]):
    """One channel of a plan, or the step `search_index`: its targets, how many are stale and why, and an estimate of the work."""

    step = serializers.CharField()
    channel = serializers.CharField()
    kind = serializers.CharField(source="target_type", help_text="What the channel embeds: scenes, photos or people.")
    subjects = serializers.IntegerField(source="targets", help_text="Targets in the scope.")
    causes = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Stale targets by cause: missing, input changed, step changed or forced. Causes that do not occur are left out.",
    )
    inputs = serializers.IntegerField(help_text="Distinct inputs to compute; equal inputs are computed once.")
    model_calls = serializers.IntegerField()
    tokens = serializers.IntegerField(help_text="Estimate.")
    cost = serializers.DecimalField(max_digits=None, decimal_places=4, help_text="Estimate, by the prices in HEIMDEX_PRICES.")
    stale = serializers.IntegerField(help_text="Vectors to compute; for search_index, documents to write.")


class PlanSerializer(serializers.Serializer[Plan]):
    """What a run over a scope would do, and why."""

    spec_version = serializers.CharField()
    spec_digest = serializers.CharField()
    videos = serializers.IntegerField(help_text="Indexed videos in the scope.")
    stale = serializers.IntegerField(help_text="Vectors to compute and documents of the search index to write.")
    model_calls = serializers.IntegerField(help_text="Estimated calls to models; exactly 0 when nothing is stale.")
    tokens = serializers.IntegerField(help_text="Estimate.")
    cost = serializers.DecimalField(max_digits=None, decimal_places=4, help_text="Estimate, by the prices in HEIMDEX_PRICES.")
    seconds = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="The shortest and longest expected time in seconds; null until every step was measured once with its model.",
    )
    stale_owners = serializers.IntegerField(help_text="Owners with stale vectors; counted only for scope all.")
    owners = OwnerCountsSerializer(many=True, help_text="The owners with the most stale vectors, at most 25; only for scope all.")
    channels = ChannelPlanSerializer(many=True)
    notices = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="What could not be counted as it is now, because its server is away."
    )


def serialize_plan(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON data."""
    return dict(PlanSerializer(plan).data)
