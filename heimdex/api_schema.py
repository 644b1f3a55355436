"""What the API's own description says of errors, which every endpoint answers in one form (`heimdex.api.exception_handler`)."""

from typing import Any

_ERROR = {
    "type": "object",
    "description": "Either `detail`, or for each field at fault a list of what is wrong with it.",
    "properties": {"detail": {"type": "string", "description": "What is wrong, and what can be done about it."}},
    "additionalProperties": {},
}
_ANSWER = {
    "description": "The request is wrong, or not allowed, or what it asks for is not there.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


def describe_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the answer of status 4XX to every operation of an OpenAPI description; those of single statuses stay beside it."""
    result["components"]["schemas"]["Error"] = _ERROR
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = _ANSWER
    return result
