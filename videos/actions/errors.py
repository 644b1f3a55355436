"""Why an action is refused, in a person's words."""


class Refused(Exception):
    """The action cannot be done; `field` names the input at fault, if one is."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class WrongState(Refused):
    """The action does not fit the state that the video is in."""
