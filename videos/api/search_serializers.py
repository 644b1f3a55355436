"""Serialize searches and their answers."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from heimdex.api_fields import BoundedListField
from videos.api.hit_serializers import HitSerializer
from videos.search.conditions import SearchFilters
from videos.search.cursors import MAX_CURSOR_LENGTH
from videos.search.examples import Example
from videos.search.listing import Sort
from videos.search.modes import KIND_CHOICES, Kind, Mode
from videos.search.passages import MAX_SCENES, MAX_SECONDS
from videos.search.query_values import parse_day, parse_duration, parse_language
from videos.search.requests import MAX_PER_VIDEO, SearchRequest

MAX_QUERY_LENGTH = 1000
EMPTY = "Enter a query, or give a filter such as person_id."
_MAX_VALUES = 20

UNAVAILABLE = {
    429: OpenApiResponse(description="Too many searches. The header `Retry-After` tells the seconds to wait."),
    503: OpenApiResponse(
        description="The database does not answer, or takes too long. Channels that take too long are left out of an answer, and listed in "
        "`notices`, after `HEIMDEX_SEARCH_S` seconds. The header `Retry-After`, where it is sent, tells the seconds to wait."
    ),
}


class _ParsedField(serializers.CharField):
    """A text that a function of the query language parses. Its ValueError names the fix."""

    parse: Callable[[str], Any]

    def run_validation(self, data: Any = empty) -> Any:
        text = super().run_validation(data)
        try:
            return text if text is None else type(self).parse(text)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


@extend_schema_field({"type": "string", "pattern": "^[12][0-9]{3}(-[0-9]{1,2}(-[0-9]{1,2})?)?$"})
class DayField(_ParsedField):
    """A day."""

    parse = staticmethod(parse_day)


@extend_schema_field({"type": "string", "maxLength": 20, "pattern": "^[0-9][0-9.:hmsinHMSIN]*$"})
class DurationField(_ParsedField):
    """A duration."""

    parse = staticmethod(parse_duration)


@extend_schema_field({"type": "string", "maxLength": 40, "pattern": "^[A-Za-z][A-Za-z0-9 _-]+$"})
class LanguageField(_ParsedField):
    """A language."""

    parse = staticmethod(parse_language)


class FiltersSerializer(serializers.Serializer[Any]):
    """Filters of a search. The query language has the same filters, except for the collection."""

    video_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Only scenes of this video. `per_video` then has no effect."
    )
    collection_id = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="Only scenes of this collection.")
    person_id = BoundedListField(
        child=serializers.UUIDField(),
        required=False,
        default=list,
        max_length=_MAX_VALUES,
        help_text="Only scenes with any of these people.",
    )
    every_person = serializers.BooleanField(default=False, help_text="Only scenes with all of these people.")
    lang = BoundedListField(
        child=LanguageField(max_length=40),
        required=False,
        default=list,
        max_length=_MAX_VALUES,
        help_text="Only videos in any of these languages: codes such as `de`, or English names.",
    )
    tag = BoundedListField(
        child=serializers.CharField(max_length=100),
        required=False,
        default=list,
        max_length=_MAX_VALUES,
        help_text="Only scenes with all of these tags.",
    )
    after = DayField(max_length=10, required=False, allow_null=True, default=None, help_text="Uploaded on this day or later: `2026-01-31`.")
    before = DayField(max_length=10, required=False, allow_null=True, default=None, help_text="Uploaded before this day.")
    longer = DurationField(
        max_length=20,
        required=False,
        allow_null=True,
        default=None,
        help_text="Only videos longer than this: `90` (seconds), `1:30`, `10m`.",
    )
    shorter = DurationField(max_length=20, required=False, allow_null=True, default=None, help_text="Only videos shorter than this.")


def build_filters(values: dict[str, Any]) -> SearchFilters:
    """Return the filters of a validated FiltersSerializer."""
    return SearchFilters(
        collection_id=values["collection_id"],
        person_ids=tuple(values["person_id"]),
        every_person=values["every_person"],
        languages=tuple(values["lang"]),
        tags=tuple(values["tag"]),
        uploaded_from=values["after"],
        uploaded_before=values["before"],
        longer_than_s=values["longer"],
        shorter_than_s=values["shorter"],
    )


def is_empty_search(query: str, values: dict[str, Any]) -> bool:
    """Return whether a query with the filters of a validated FiltersSerializer asks for nothing."""
    return not query.strip() and build_filters(values) == SearchFilters() and values["video_id"] is None


class SearchOptionsSerializer(FiltersSerializer):
    """Filters of a search, where to search, and the order of the answer."""

    mode = serializers.ChoiceField(choices=[mode.value for mode in Mode], default=Mode.ALL.value, help_text="The channels to search.")
    evidence = BoundedListField(
        child=serializers.ChoiceField(choices=KIND_CHOICES),
        required=False,
        default=list,
        max_length=len(Kind),
        help_text="Only scenes that one of these kinds of evidence has found.",
    )
    sort = serializers.ChoiceField(choices=[sort.value for sort in Sort], default=Sort.RELEVANCE.value)
    per_video = serializers.IntegerField(
        min_value=1, max_value=100, default=MAX_PER_VIDEO, help_text="At most so many results of each video, if words or people rank them."
    )
    join = serializers.BooleanField(
        default=True,
        help_text=f"Join neighboring scenes that answer the query together, at most {MAX_SCENES} scenes or {MAX_SECONDS:.0f} seconds, into "
        "one result, if words or people rank them. Without effect on lists, on `then:`, and on searches by example.",
    )


class SearchSerializer(SearchOptionsSerializer):
    """A search request."""

    q = serializers.CharField(
        max_length=MAX_QUERY_LENGTH,
        required=False,
        allow_blank=True,
        default="",
        help_text='Words, `"phrases"`, `-exclusions`, `@names` and filters such as `tag:dog`, in the query language.',
    )
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    cursor = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=MAX_CURSOR_LENGTH, help_text="From an answer to the same search."
    )
    facets = serializers.BooleanField(default=False, help_text="Count the scenes that further filters would keep.")
    explain = serializers.BooleanField(default=False, help_text="Tell time, candidates and score of each part.")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Reject an empty search."""
        if is_empty_search(values["q"], values):
            raise serializers.ValidationError({"q": EMPTY})
        return values


def build_request(values: dict[str, Any], example: Example | None = None) -> SearchRequest:
    """Return the request of a validated SearchSerializer."""
    return SearchRequest(
        values["q"],
        limit=values["limit"],
        per_video=values["per_video"],
        video_id=values["video_id"],
        filters=build_filters(values),
        mode=Mode(values["mode"]),
        evidence=frozenset(map(Kind, values["evidence"])),
        sort=Sort(values["sort"]),
        join=values["join"],
        cursor=values["cursor"],
        with_facets=values["facets"],
        example=example,
    )


class FacetValueSerializer(serializers.Serializer[Any]):
    """A value of a filter."""

    value = serializers.CharField(help_text="For the filter.")
    label = serializers.CharField(help_text="For people.")  # type: ignore[assignment]
    count = serializers.IntegerField(help_text="The number of scenes, with each of a passage.")


class FacetsSerializer(serializers.Serializer[Any]):
    """The most frequent values of each filter, at most 20 each."""

    videos = FacetValueSerializer(many=True)
    collections = FacetValueSerializer(many=True)
    people = FacetValueSerializer(many=True)
    languages = FacetValueSerializer(many=True)
    tags = FacetValueSerializer(many=True)


class SuggestionSerializer(serializers.Serializer[Any]):
    """A person that the query may mean. Nothing is filtered until the query mentions the person."""

    person_id = serializers.UUIDField()
    name = serializers.CharField()
    query = serializers.CharField(help_text="The query with the person as a filter.")


class CorrectionSerializer(serializers.Serializer[Any]):
    """A word of the query that none of the user's texts contains, and what was searched, too."""

    word = serializers.CharField(help_text="As it is in the query.")
    searched = serializers.ListField(
        child=serializers.CharField(), help_text="Similar words that texts contain, in lower case and without accents."
    )


class SearchPartSerializer(serializers.Serializer[Any]):
    """A part of the search."""

    name = serializers.CharField()
    time_ms = serializers.FloatField()
    candidates = serializers.DictField(child=serializers.IntegerField(), help_text="The number of scenes by channel.")


class SearchAnswerSerializer(serializers.Serializer[Any]):
    """A page of hits."""

    total = serializers.IntegerField(help_text="The number of hits. A passage is one hit.")
    offset = serializers.IntegerField(help_text="The number of hits before this page.")
    next_cursor = serializers.CharField(allow_null=True)
    previous_cursor = serializers.CharField(allow_null=True)
    notices = serializers.ListField(
        child=serializers.CharField(), help_text="What was left out of the answer, and which words were read otherwise."
    )
    fits = serializers.BooleanField(help_text="Whether a result fits well. Otherwise the results are what comes closest.")
    corrections = CorrectionSerializer(many=True)
    suggestions = SuggestionSerializer(many=True)
    facets = FacetsSerializer(allow_null=True)
    explanation = serializers.SerializerMethodField()
    results = HitSerializer(many=True)

    @extend_schema_field(SearchPartSerializer(many=True, allow_null=True))
    def get_explanation(self, answer: dict[str, Any]) -> Any:
        """Return the parts of the search, or null without `explain`."""
        return answer["explanation"] and SearchPartSerializer(answer["explanation"], many=True).data
