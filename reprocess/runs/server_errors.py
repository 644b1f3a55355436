"""Tell a model server that cannot process an input from one that is away."""

from heimdex.embedders.base import Embedder
from heimdex.errors import ModelUnavailable
from heimdex.openai.responses import is_server_failure

# Short and harmless. Its vector is not used.
_QUERY = "a person walks along the sea"


def is_fault_of_input(error: Exception, model: Embedder) -> bool:
    """Return whether a server fails because of an input: its call failed on every attempt, and right afterwards the server answers a query.

    Where documents exceed a limit of the rate, a query may fit it.
    """
    if not is_server_failure(error):
        return False
    try:
        model.embed_queries([_QUERY])
    except ModelUnavailable:
        return False
    return True
