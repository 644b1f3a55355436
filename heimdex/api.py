"""Shared by all endpoints under /v1/: errors and their schema, body limits, pagination."""

import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.views import defaults
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as default_handler
from rest_framework_simplejwt.exceptions import DetailDictMixin

from heimdex.accounts.rate_limits import RateExceeded
from heimdex.database.time_budget import TOO_SLOW, is_timeout
from heimdex.error_pages import answer_outage
from heimdex.errors import Forbidden, OutOfSpace, Refused, Unavailable, WrongState
from heimdex.outages.answers import find_answer
from heimdex.outages.texts import RETRY_AFTER_S

_ERROR_SCHEMA = {
    "type": "object",
    "description": "Either `detail`, or a list of problems for each invalid field.",
    "properties": {"detail": {"type": "string", "description": "What is wrong, and how to fix it."}},
    "additionalProperties": {},
}
_ERROR_RESPONSE = {
    "description": "The request is invalid or not allowed, or its object does not exist.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


TOKEN_NOT_VALID = (
    "The access token has expired or is not valid. "
    "Get a new one with POST /v1/auth/token/refresh, or log in again with POST /v1/auth/token."
)


class BodyTooLarge(APIException):
    """The body is larger than any request needs; files go to an upload URL."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"


class Conflict(APIException):
    """The request conflicts with the current state of the object."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class TooManyRequests(APIException):
    """A rate is exceeded. The default handler announces `wait` (seconds) in the header Retry-After."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "too_many_requests"

    def __init__(self, detail: str, wait: int) -> None:
        super().__init__(detail)
        self.wait = wait


class InsufficientStorage(APIException):
    """The server's disk is full, or nearly."""

    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_code = "insufficient_storage"


class Overloaded(APIException):
    """The database did not answer in time, or another server does not answer. `wait` (seconds) is announced as Retry-After."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "overloaded"

    def __init__(self, detail: str, wait: int | None = None) -> None:
        super().__init__(detail)
        self.wait = wait


class ShallowJSONParser(JSONParser):
    """Parse JSON. Raise ParseError when it is nested more deeply than Python can read."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type=media_type, parser_context=parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class Pages(PageNumberPagination):
    """Pagination by `?page=` and `?page_size=`: 50 rows by default, at most 200."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return `{"field": ["message"]}` for an invalid field and `{"detail": "message"}` for any other error.

    The `WrongState` of an action becomes 409, its `OutOfSpace` 507, `Forbidden` 403, `Unavailable` 503, any other `Refused` 400, and
    `RateExceeded` 429. A statement that took too long, or an outage, becomes 503, or 507 for a full disk. Input
    that only the database or the text encoding rejects (NUL bytes, lone surrogates, numbers out of range) is the client's error. Exceptions
    that are not handled here become a 500: they are bugs.
    """
    if isinstance(error, DataError | UnicodeEncodeError):
        error = ValidationError("A value contains characters or numbers that cannot be stored.")
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge(f"The body is too large. The limit is {filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)}.")
    elif isinstance(error, Http404):
        # The original text names a model.
        error = NotFound()
    elif isinstance(error, RateExceeded):
        error = TooManyRequests(str(error), error.wait_s)
    elif is_timeout(error):
        error = Overloaded(TOO_SLOW, RETRY_AFTER_S)
    elif isinstance(error, Unavailable):
        error = Overloaded(str(error))
    elif isinstance(error, Forbidden):
        error = PermissionDenied(str(error))
    elif isinstance(error, OutOfSpace):
        error = InsufficientStorage(str(error))
    elif isinstance(error, WrongState):
        error = Conflict(str(error))
    elif isinstance(error, Refused):
        error = ValidationError({error.field: [str(error)]} if error.field else str(error))
    elif isinstance(error, DjangoValidationError):
        error = ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)
    elif answer := find_answer(error):
        is_full = answer.status == InsufficientStorage.status_code
        error = InsufficientStorage(answer.message) if is_full else Overloaded(answer.message, RETRY_AFTER_S)
    response = default_handler(error, context)
    if response is None:
        return None
    if isinstance(error, DetailDictMixin):
        # Only an access token that no class of tokens accepts has messages, one per class.
        response.data = {"detail": TOKEN_NOT_VALID if "messages" in response.data else response.data["detail"]}
    elif isinstance(response.data, list):
        response.data = {"detail": _join_messages(response.data)}
    elif list(response.data) == [api_settings.NON_FIELD_ERRORS_KEY]:
        response.data = {"detail": _join_messages(response.data[api_settings.NON_FIELD_ERRORS_KEY])}
    return response


def _join_messages(messages: list[Any]) -> str:
    return " ".join(str(message) for message in messages)


def describe_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the 4XX response to every operation of an OpenAPI schema, in addition to its specific statuses."""
    result["components"]["schemas"]["Error"] = _ERROR_SCHEMA
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = _ERROR_RESPONSE
    return result


def handle_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a 404: JSON under /v1/, a page elsewhere."""
    if request.path.startswith("/v1/"):
        return JsonResponse({"detail": "Not found."}, status=404)
    return defaults.page_not_found(request, exception)


def handle_server_error(request: HttpRequest) -> HttpResponse:
    """Return a 500: JSON under /v1/, a page elsewhere. Where middleware failed because of an outage, return a 503."""
    if answer := answer_outage(request, sys.exc_info()[1]):
        return answer
    if request.path.startswith("/v1/"):
        return JsonResponse({"detail": "Internal server error. The cause is in the server's log."}, status=500)
    return defaults.server_error(request)
