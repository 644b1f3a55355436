"""Rename TranscriptChunk.listener to model_key: it names the speech model."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("videos", "0017_texts")]

    operations = [migrations.RenameField("transcriptchunk", "listener", "model_key")]
