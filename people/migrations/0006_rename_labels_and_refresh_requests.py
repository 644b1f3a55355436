import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0005_renewal_wanted"),
    ]

    operations = [
        migrations.RenameModel(old_name="FaceRuling", new_name="FaceLabel"),
        migrations.RenameIndex(model_name="facelabel", new_name="face_label_owner_video", old_name="ruling_owner_video"),
        migrations.RenameModel(old_name="RenewalWanted", new_name="PeopleRefreshRequest"),
        # Texts only: none of the following changes the database.
        migrations.AlterField(
            model_name='facegroup',
            name='size',
            field=models.PositiveIntegerField(help_text='Number of faces in the group.'),
        ),
        migrations.AlterField(
            model_name='facematch',
            name='probability',
            field=models.FloatField(help_text='0 to 1; 1 where the owner has labeled the face.'),
        ),
        migrations.AlterField(
            model_name='facematch',
            name='space',
            field=models.ForeignKey(help_text="Space of the person's query vector.", on_delete=django.db.models.deletion.CASCADE, related_name='+', to='videos.embeddingspace'),
        ),
        migrations.AlterField(
            model_name='person',
            name='archived_at',
            field=models.DateTimeField(blank=True, help_text='When the person was archived. Archived people are hidden and not matched.', null=True),
        ),
        migrations.AlterField(
            model_name='person',
            name='person_query_hash',
            field=models.CharField(blank=True, editable=False, help_text='Hash of the READY photos; empty without any.', max_length=64),
        ),
        migrations.AlterField(
            model_name='personphoto',
            name='checksum',
            field=models.CharField(blank=True, help_text='SHA-256 of the uploaded bytes.', max_length=64),
        ),
        migrations.AlterField(
            model_name='personphoto',
            name='filed_under',
            field=models.UUIDField(editable=False, help_text='The person whose id is in the storage keys, if a merge moved the photo.', null=True),
        ),
        migrations.AlterField(
            model_name='personphoto',
            name='person_photo_hash',
            field=models.CharField(blank=True, editable=False, help_text='Hash of the normalized copy; empty without one.', max_length=64),
        ),
        migrations.AlterField(
            model_name='personphoto',
            name='width',
            field=models.PositiveIntegerField(help_text='Of the normalized copy.', null=True),
        ),
        migrations.AlterField(
            model_name='personphoto',
            name='woken_at',
            field=models.DateTimeField(editable=False, help_text='When a task was last queued for it.', null=True),
        ),
        migrations.AlterField(
            model_name='sceneface',
            name='first_s',
            field=models.FloatField(help_text='Time of the first keyframe that shows it.'),
        ),
        migrations.AlterField(
            model_name='sceneface',
            name='last_s',
            field=models.FloatField(help_text='Time of the last keyframe that shows it.'),
        ),
        migrations.AlterField(
            model_name='sceneface',
            name='side_px',
            field=models.PositiveIntegerField(help_text='Shorter side of the face, in pixels of the keyframe.'),
        ),
        migrations.AlterField(
            model_name='sceneface',
            name='time_s',
            field=models.FloatField(help_text='Time of the keyframe with the best view.'),
        ),
        migrations.AlterConstraint(
            model_name='person',
            name='person_owner_name',
            constraint=models.UniqueConstraint(models.F('owner'), django.db.models.functions.text.Lower('name'), name='person_owner_name', violation_error_message='You already have a person with this name.'),
        ),
    ]
