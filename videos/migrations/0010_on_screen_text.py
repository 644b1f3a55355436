from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0009_other_keyframes")]

    operations = [
        migrations.AddField("scene", "described_by", models.CharField(blank=True, default="", help_text="The model that the description and the tags are by.", max_length=300), preserve_default=False),
        migrations.AddField("scene", "on_screen_text", models.TextField(blank=True, default="", help_text="What is written in the picture, a line each."), preserve_default=False),
        migrations.AddField("scene", "read_by", models.CharField(blank=True, default="", help_text="The model that read the picture.", max_length=300), preserve_default=False),
        migrations.AlterField("scene", "visual_text", models.TextField(blank=True, help_text="Description and tags, as they are searched.")),
        migrations.AddField("video", "chapters", models.JSONField(blank=True, default=list, help_text="[{title, start_s}, …]")),
        # A generated column cannot be changed in place.
        migrations.RemoveIndex("scene", "scene_search"),
        migrations.RemoveField("scene", "search_vector"),
        migrations.AddField(
            "scene",
            "search_vector",
            models.GeneratedField(
                db_persist=True,
                expression=(
                    SearchVector("transcript", weight="A", config="english")
                    + SearchVector("visual_text", weight="B", config="english")
                    + SearchVector("on_screen_text", weight="C", config="english")
                ),
                output_field=SearchVectorField(),
            ),
        ),
        migrations.AddIndex("scene", GinIndex(fields=["search_vector"], name="scene_search")),
    ]
