"""The parts of the API that all uploads share."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from heimdex.storage import UploadTarget

DISK_FULL = OpenApiResponse(description="The server's disk is almost full, so it accepts no new uploads.")


# NUL, which PostgreSQL cannot store, and halves of surrogate pairs, which no encoding can. The name is only shown, so they may change.
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


class FilenameField(serializers.CharField):
    """The name of a file on its user's machine: any text. What cannot be stored is replaced."""

    def to_internal_value(self, data: Any) -> str:
        """Return the name as it is stored."""
        return _NOT_STORABLE.sub(_REPLACEMENT, super().to_internal_value(data))


class UploadRequestSerializer(serializers.Serializer[Any]):
    """The file that a client wants to upload."""

    filename = FilenameField(max_length=1024)
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
