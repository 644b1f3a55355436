from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_find_faces'),
    ]

    # Texts only: none of the following changes the database.
    operations = [
        migrations.AlterField(
            model_name='user',
            name='find_faces',
            field=models.BooleanField(default=True, help_text="Clear this to turn off face recognition in this user's videos and erase its results."),
        ),
        migrations.AlterField(
            model_name='user',
            name='is_active',
            field=models.BooleanField(default=True, help_text='Clear this to lock the account and keep its videos.', verbose_name='active'),
        ),
    ]
