import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _create(name, target):
    return migrations.CreateModel(
        name=name,
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("channel", models.CharField(max_length=40)),
            ("hash", models.CharField(blank=True, max_length=64)),
            (
                "owner",
                models.ForeignKey(
                    db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                target,
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="inputs",
                    to="people.personphoto" if target == "photo" else "people.person",
                ),
            ),
        ],
        options={
            "abstract": False,
            "indexes": [models.Index(fields=["owner", "channel"], name=f"{target}_input_owner_channel")],
            "constraints": [models.UniqueConstraint(fields=(target, "channel"), name=f"{target}_input_{target}_channel")],
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("people", "0006_rename_labels_and_refresh_requests"),
    ]

    operations = [_create("PhotoInput", "photo"), _create("PersonInput", "person")]
