from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0012_damage_and_timeline"),
    ]

    operations = [
        migrations.RenameModel(old_name="HeardStretch", new_name="TranscriptChunk"),
        migrations.RemoveConstraint(model_name="transcriptchunk", name="heard_stretch_video_first"),
        migrations.AddConstraint(
            model_name="transcriptchunk",
            constraint=models.UniqueConstraint(fields=("video", "first_sample"), name="transcript_chunk_video_first"),
        ),
    ]
