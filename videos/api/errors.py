"""API errors that REST framework has no class for."""

from rest_framework import status
from rest_framework.exceptions import APIException


class Conflict(APIException):
    """The request conflicts with the current state of the object."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
