import pgvector.django
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0002_files_stay_where_they_are"),
    ]

    operations = [
        migrations.AddField(
            model_name="facegroup",
            name="vector",
            # Groups are made anew from the faces, so there is none yet that this would stand for.
            field=pgvector.django.HalfVectorField(default=[0.0]),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="facegroup",
            name="size",
            field=models.PositiveIntegerField(help_text="The number of faces in it."),
        ),
    ]
