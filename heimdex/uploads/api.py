"""The parts of the API that all uploads share."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from heimdex.storage import UploadTarget

DISK_FULL = OpenApiResponse(description="The server's disk is almost full, so it accepts no new uploads.")


class UploadRequestSerializer(serializers.Serializer[Any]):
    """The file that a client wants to upload."""

    filename = serializers.CharField(max_length=1024)
    mime_type = serializers.CharField(max_length=255)
    size_bytes = serializers.IntegerField(min_value=0)


class UploadTargetSerializer(serializers.Serializer[Any]):
    """The request that uploads the bytes."""

    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()


def describe_target(request: Request, target: UploadTarget) -> dict[str, Any]:
    """Return the data of an UploadTargetSerializer, with an absolute URL."""
    return {
        "method": target.method,
        "url": request.build_absolute_uri(target.url),
        "headers": dict(target.headers),
        "expires_at": target.expires_at,
    }
