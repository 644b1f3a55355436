"""Answers that REST framework has no class for."""

from rest_framework import status
from rest_framework.exceptions import APIException


class Conflict(APIException):
    """The request does not fit the state of what it is about."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
