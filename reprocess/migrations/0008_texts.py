import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reprocess', '0007_channels'),
        ('videos', '0017_texts'),
    ]

    # Texts only: none of the following changes the database.
    operations = [
        migrations.AlterField(
            model_name='cutover',
            name='after',
            field=models.JSONField(help_text='Active space per channel after the switch, also if it was refused.'),
        ),
        migrations.AlterField(
            model_name='cutover',
            name='before',
            field=models.JSONField(help_text='Active space per channel before the switch.'),
        ),
        migrations.AlterField(
            model_name='cutover',
            name='reason',
            field=models.TextField(blank=True, help_text='Why the switch was refused.'),
        ),
        migrations.AlterField(
            model_name='reprocessitem',
            name='video',
            field=models.ForeignKey(help_text="Empty for an item that covers its owner's people.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='videos.video'),
        ),
        migrations.AlterField(
            model_name='reprocessrun',
            name='cost',
            field=models.DecimalField(decimal_places=6, default=0, help_text='Computed with the prices in the settings.', max_digits=14),
        ),
        migrations.AlterField(
            model_name='reprocessrun',
            name='error',
            field=models.TextField(blank=True, help_text='Why the run failed, or why it is paused.'),
        ),
        migrations.AlterField(
            model_name='reprocessrun',
            name='people_count',
            field=models.PositiveIntegerField(default=0, help_text='Number of owners whose people this run reprocesses.'),
        ),
        migrations.AlterField(
            model_name='stepuse',
            name='inputs',
            field=models.PositiveBigIntegerField(default=0, help_text='Number of distinct inputs that were embedded.'),
        ),
        migrations.AlterField(
            model_name='stepuse',
            name='seconds',
            field=models.FloatField(default=0.0, help_text='Seconds of computing and writing, summed over workers.'),
        ),
    ]
