"""The stages of an ingest that `videos` itself has, one file each; settings.INGEST_STAGES gives their order."""
