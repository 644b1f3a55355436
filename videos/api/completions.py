"""Completion of what is typed into the search field."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heimdex.accounts.owner import get_owner
from heimdex.api_fields import BoundedListField
from videos.search.completions import CompletionKind, complete

KIND_CHOICES = [kind.value for kind in CompletionKind]


class CompletionRequestSerializer(serializers.Serializer[Any]):
    """What has been typed of a word or a name."""

    q = serializers.CharField(max_length=100)
    kind = BoundedListField(
        child=serializers.ChoiceField(choices=KIND_CHOICES),
        required=False,
        default=KIND_CHOICES,
        max_length=len(KIND_CHOICES),
        help_text="Default: all.",
    )


class CompletionSerializer(serializers.Serializer[Any]):
    """A name, a tag or a title."""

    kind = serializers.ChoiceField(choices=KIND_CHOICES)
    value = serializers.CharField()
    query = serializers.CharField(help_text="The filter of the query language.")


class CompletionsSerializer(serializers.Serializer[Any]):
    """The completions of a word, at most 10 of each kind."""

    results = CompletionSerializer(many=True)


class CompletionsView(APIView):
    """Complete names of people, tags and titles."""

    @extend_schema(parameters=[CompletionRequestSerializer], responses=CompletionsSerializer)
    def get(self, request: Request) -> Response:
        """List your people, tags and titles of which a word starts like `q`."""
        body = CompletionRequestSerializer(data=request.query_params)
        body.is_valid(raise_exception=True)
        kinds = frozenset(map(CompletionKind, body.validated_data["kind"]))
        completions = complete(get_owner(request).pk, body.validated_data["q"], kinds)
        return Response(CompletionsSerializer({"results": completions}).data)
