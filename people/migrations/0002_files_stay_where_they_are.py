from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="personphoto",
            name="filed_under",
            field=models.UUIDField(
                editable=False, help_text="The person under whose id its files lie, where it came to this one from another.", null=True
            ),
        ),
    ]
