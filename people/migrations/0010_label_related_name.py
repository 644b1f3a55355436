import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0009_input_hash_columns"),
    ]

    operations = [
        # Only the name of the reverse relation: the database does not change.
        migrations.AlterField(
            model_name="facelabel",
            name="person",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="labels", to="people.person"),
        ),
    ]
