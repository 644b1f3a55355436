from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reprocess", "0006_people_items")]

    operations = [
        # Channels come from the steps.
        migrations.AlterField(model_name="runcounter", name="channel", field=models.CharField(max_length=40)),
        migrations.AlterField(model_name="reprocessfailure", name="channel", field=models.CharField(blank=True, max_length=40)),
    ]
