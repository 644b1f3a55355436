from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0008_copy_input_hashes")]

    operations = [
        migrations.RenameField(model_name="personphoto", old_name="person_photo_hash", new_name="image_hash"),
        migrations.RemoveField(model_name="person", name="person_query_hash"),
    ]
