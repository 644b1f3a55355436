from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0015_copy_input_hashes")]

    operations = [
        # This column was two things: the hash of the keyframe file, which stays, and the hash of a channel's input.
        migrations.RenameField(model_name="scene", old_name="clip_hash", new_name="keyframe_hash"),
        migrations.AlterField(
            model_name="scene",
            name="keyframe_hash",
            field=models.CharField(blank=True, help_text="SHA-256 of the keyframe; empty without one.", max_length=64),
        ),
        migrations.RemoveField(model_name="scene", name="transcript_hash"),
        migrations.RemoveField(model_name="scene", name="visual_hash"),
        migrations.RemoveField(model_name="scene", name="summary_hash"),
        migrations.RemoveField(model_name="scene", name="person_hash"),
        # Channels come from the steps.
        migrations.AlterField(model_name="embeddingspace", name="channel", field=models.CharField(max_length=40)),
        migrations.AlterField(model_name="activespace", name="channel", field=models.CharField(max_length=40)),
    ]
