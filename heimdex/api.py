"""What every endpoint under /v1/ shares: errors, the size of a body, pages of a list."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as default_handler
from rest_framework_simplejwt.exceptions import DetailDictMixin


class BodyTooLarge(APIException):
    """The body is larger than any request needs; files go to an upload address instead."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"


class ShallowJSONParser(JSONParser):
    """JSON that is not nested deeper than Python can read."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type=media_type, parser_context=parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class Pages(PageNumberPagination):
    """`?page=` and `?page_size=`, 50 rows unless told, at most 200."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer `{"field": ["message"]}` for a field and `{"detail": "message"}` for anything else.

    Input that only the database or the text encoding refuses (NUL bytes, lone surrogates, numbers out of
    range) is the client's error. Whatever is not named here stays a 500: it is a fault of ours.
    """
    if isinstance(error, DataError | UnicodeEncodeError):
        error = ValidationError("A value holds characters or numbers that cannot be stored.")
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge(f"The body is too large; at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes are taken.")
    elif isinstance(error, Http404):
        # Without its text, which names a model.
        error = NotFound()
    elif isinstance(error, DjangoValidationError):
        error = ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)
    response = default_handler(error, context)
    if response is None:
        return None
    if isinstance(error, DetailDictMixin):
        response.data = {"detail": response.data["detail"]}
    elif isinstance(response.data, list):
        response.data = {"detail": _sentence(response.data)}
    elif list(response.data) == [api_settings.NON_FIELD_ERRORS_KEY]:
        response.data = {"detail": _sentence(response.data[api_settings.NON_FIELD_ERRORS_KEY])}
    return response


def _sentence(messages: list[Any]) -> str:
    return " ".join(str(message) for message in messages)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that does not exist: as JSON under /v1/, as a page elsewhere."""
    if request.path.startswith("/v1/"):
        return JsonResponse({"detail": "Not found."}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault of ours: as JSON under /v1/, as a page elsewhere."""
    if request.path.startswith("/v1/"):
        return JsonResponse({"detail": "The server failed at this request. Its log says why."}, status=500)
    return defaults.server_error(request)
