"""Storages of the tests of reconcile, which checks a library after its transfer."""

from tests.reprocess.reconcile.conftest import any_storage, local_storage, s3_options

__all__ = ["any_storage", "local_storage", "s3_options"]
