"""The description of the API under /v1/schema/, which anyone may read."""

from threading import Lock
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

_lock = Lock()
# The content and the headers by the format: a description is the same for everyone, and takes a tenth of a second to build.
_built: dict[str, tuple[bytes, dict[str, str]]] = {}


class DescriptionView(SpectacularAPIView):
    """The description as OpenAPI, built once per process and format, whatever parameters the request has."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        media_type = str(request.accepted_renderer.media_type)
        with _lock:
            if media_type not in _built:
                # It takes the header Vary out of `headers`, which the answer below gets too.
                own_headers = dict(self.headers)
                response = self.finalize_response(request, self._get_schema_response(request))  # type: ignore[no-untyped-call]
                self.headers = own_headers
                response.render()
                _built[media_type] = (response.content, {name: response[name] for name in ("Content-Type", "Content-Disposition")})
        content, headers = _built[media_type]
        return HttpResponse(content, headers=headers)

    def _get_version_parameter(self, request: Request) -> None:
        """Return None: there is one version. A parameter would get into a header."""
