"""The two ways an embedding can fail; the text of each is a sentence for a person."""


class EmbedderError(Exception):
    """These inputs cannot be embedded, however often they are tried; others can."""


class EmbedderUnavailable(Exception):
    """The model cannot be used at all for now: no weights, no package, no key, no server. The text names the setting and the fix."""
