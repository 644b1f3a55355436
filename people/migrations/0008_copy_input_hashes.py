"""Copy the input hashes of photos and people from columns to rows. There are few enough of them for one statement each."""

from django.db import migrations

PHOTOS = (
    "INSERT INTO people_photoinput (photo_id, owner_id, channel, hash) SELECT id, owner_id, 'person_photo', person_photo_hash "
    "FROM people_personphoto WHERE person_photo_hash <> '' ON CONFLICT (photo_id, channel) DO NOTHING"
)
PEOPLE = (
    "INSERT INTO people_personinput (person_id, owner_id, channel, hash) SELECT id, owner_id, 'person_query', person_query_hash "
    "FROM people_person ON CONFLICT (person_id, channel) DO NOTHING"
)
BACK = (
    "UPDATE people_person person SET person_query_hash = input.hash FROM people_personinput input "
    "WHERE input.person_id = person.id AND input.channel = 'person_query'"
)


def copy_to_rows(apps, schema_editor):
    schema_editor.execute(PHOTOS)
    schema_editor.execute(PEOPLE)


def copy_to_columns(apps, schema_editor):
    # A photo's column stays under another name.
    schema_editor.execute(BACK)


class Migration(migrations.Migration):
    dependencies = [("people", "0007_inputs")]

    operations = [migrations.RunPython(copy_to_rows, copy_to_columns)]
