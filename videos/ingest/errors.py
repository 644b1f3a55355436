"""The error that ends an ingest."""


class IngestError(Exception):
    """The video cannot be indexed. `code` is for programs, the message for its owner."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
