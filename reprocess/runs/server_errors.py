"""Tell a model server that cannot process an input from one that is away."""

from heimdex.embedders.base import Embedder
from heimdex.errors import ModelAway, ModelUnavailable
from heimdex.openai.responses import TransientError

# Short and harmless. Its vector is not used.
_QUERY = "a person walks along the sea"


def is_fault_of_input(error: Exception, model: Embedder) -> bool:
    """Return whether a server fails because of an input: its call failed on every attempt, and right afterwards the server answers a query.

    A limit of the rate is nobody's fault: a query may fit it where documents do not.
    """
    cause = error.__cause__
    if not isinstance(error, ModelAway) or not isinstance(cause, TransientError) or cause.rate_limited:
        return False
    try:
        model.embed_queries([_QUERY])
    except ModelUnavailable:
        return False
    return True
