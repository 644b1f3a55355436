"""Why an operator's request does not fit the state of a run."""


class WrongState(Exception):
    """The run is in a state in which this cannot be done; the message says which, and what can."""
