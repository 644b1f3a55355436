import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0016_input_hash_columns'),
    ]

    # Texts only: none of the following changes the database.
    operations = [
        migrations.AlterField(
            model_name='embeddingspace',
            name='embedder',
            field=models.JSONField(help_text='The model that computed the vectors, and how to load it. Contains no secrets.'),
        ),
        migrations.AlterField(
            model_name='embeddingspace',
            name='index_began_at',
            field=models.DateTimeField(editable=False, help_text='When its index build started; no other build starts meanwhile.', null=True),
        ),
        migrations.AlterField(
            model_name='embeddingspace',
            name='indexed_at',
            field=models.DateTimeField(editable=False, help_text='When its index was finished; empty without an index.', null=True),
        ),
        migrations.AlterField(
            model_name='recordedquery',
            name='asked_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='When it was last asked.'),
        ),
        migrations.AlterField(
            model_name='retiredspace',
            name='purge_began_at',
            field=models.DateTimeField(editable=False, help_text='When the purge started. From then on, a rollback is impossible.', null=True),
        ),
        migrations.AlterField(
            model_name='scene',
            name='described_by',
            field=models.CharField(blank=True, help_text='The model that wrote the description and the tags.', max_length=300),
        ),
        migrations.AlterField(
            model_name='scene',
            name='on_screen_text',
            field=models.TextField(blank=True, help_text='Text that is visible in the keyframes, one line per line.'),
        ),
        migrations.AlterField(
            model_name='scene',
            name='other_keyframes_s',
            field=models.JSONField(blank=True, default=list, help_text='Times of the other keyframes of a longer scene, in seconds.'),
        ),
        migrations.AlterField(
            model_name='scene',
            name='pictures_hash',
            field=models.CharField(blank=True, help_text='SHA-256 of all keyframes together; empty without one.', max_length=64),
        ),
        migrations.AlterField(
            model_name='scene',
            name='read_by',
            field=models.CharField(blank=True, help_text='The model that read the on-screen text.', max_length=300),
        ),
        migrations.AlterField(
            model_name='scene',
            name='transcript_edited_at',
            field=models.DateTimeField(blank=True, help_text='When the owner last edited the transcript. A new transcription does not replace it.', null=True),
        ),
        migrations.AlterField(
            model_name='scene',
            name='visual_text',
            field=models.TextField(blank=True, help_text='Description and tags as one searchable text.'),
        ),
        migrations.AlterField(
            model_name='transcriptchunk',
            name='listener',
            field=models.CharField(help_text='The speech model, and the language it was set to.', max_length=300),
        ),
        migrations.AlterField(
            model_name='video',
            name='checksum',
            field=models.CharField(blank=True, help_text='SHA-256 of the uploaded file.', max_length=64),
        ),
        migrations.AlterField(
            model_name='video',
            name='language',
            field=models.CharField(blank=True, help_text='Spoken language, as given by the owner; empty to detect it.', max_length=16),
        ),
        migrations.AlterField(
            model_name='video',
            name='woken_at',
            field=models.DateTimeField(editable=False, help_text='When a task was last queued for its ingest.', null=True),
        ),
        migrations.AlterField(
            model_name='videometadata',
            name='damage_notice',
            field=models.TextField(blank=True, help_text='What could not be decoded, as a sentence for the owner.'),
        ),
        migrations.AlterField(
            model_name='videometadata',
            name='has_timeline',
            field=models.BooleanField(default=False, help_text='Whether the video has a timeline sheet.'),
        ),
        migrations.AlterField(
            model_name='videometadata',
            name='language',
            field=models.CharField(blank=True, help_text='Spoken language, as transcribed.', max_length=16),
        ),
        migrations.AlterField(
            model_name='videometadata',
            name='speech_notice',
            field=models.TextField(blank=True, help_text='Why the speech was not transcribed, as a sentence for the owner.'),
        ),
    ]
