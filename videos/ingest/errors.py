"""What ends an ingest for good, in a person's words."""


class IngestError(Exception):
    """This video cannot be indexed: `code` is for programs, the message for its owner."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
