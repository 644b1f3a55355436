"""The JSON forms of the spec overview and of owners' coverage, as `manage.py spec --json` prints them."""

from typing import Any

from rest_framework import serializers


class StepSummarySerializer(serializers.Serializer[Any]):
    """A step, its model's identity, and the fingerprint of each of its channels."""

    name = serializers.CharField()
    code_version = serializers.IntegerField()
    embedder = serializers.CharField()
    identity = serializers.DictField()
    fingerprints = serializers.DictField(child=serializers.CharField())


class SpaceSummarySerializer(serializers.Serializer[Any]):
    """A space: its size on disk in bytes, and the number of owners for whom it is active, pending or retired."""

    id = serializers.CharField()
    channel = serializers.CharField()
    fingerprint = serializers.CharField()
    step = serializers.CharField()
    spec_version = serializers.CharField()
    model = serializers.CharField()
    revision = serializers.CharField()
    dimensions = serializers.IntegerField()
    latest = serializers.BooleanField()
    rows = serializers.IntegerField()
    table_bytes = serializers.IntegerField()
    packed_rows = serializers.IntegerField()
    packed_bytes = serializers.IntegerField()
    active_owners = serializers.IntegerField()
    active_since = serializers.DateTimeField()
    coming_owners = serializers.IntegerField(source="pending_owners")
    retired_owners = serializers.IntegerField()
    retired_since = serializers.DateTimeField()
    purge_from = serializers.DateTimeField()
    bytes = serializers.IntegerField()


class SpecOverviewSerializer(serializers.Serializer[Any]):
    """The latest spec and all spaces."""

    version = serializers.CharField()
    digest = serializers.CharField()
    steps = StepSummarySerializer(many=True)
    spaces = SpaceSummarySerializer(many=True)
    search_index = serializers.CharField()


class OwnerSpaceCoverageSerializer(serializers.Serializer[Any]):
    """One owner's targets in one space, counted by the state of their row."""

    channel = serializers.CharField()
    fingerprint = serializers.CharField()
    model = serializers.CharField()
    state = serializers.CharField()
    since = serializers.DateTimeField()
    purge_from = serializers.DateTimeField()
    embedded = serializers.IntegerField()
    empty = serializers.IntegerField()
    failed = serializers.IntegerField()
    missing = serializers.IntegerField()
    percent = serializers.IntegerField()


class OwnerCoverageSerializer(serializers.Serializer[Any]):
    """An owner's number of searchable scenes, and the owner's coverage of each space."""

    id = serializers.CharField()
    email = serializers.CharField()
    scenes = serializers.IntegerField()
    spaces = OwnerSpaceCoverageSerializer(many=True)
