from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations, models
from django.utils import timezone

_BATCH = 1000


def copy_forward(apps: Any, schema_editor: Any) -> None:
    """Copy the sessions from Django's table, whose rows name no user, so that nobody is logged out.

    Web servers of the previous release still read them there during a rolling deploy.
    """
    old = apps.get_model("sessions", "Session")
    new = apps.get_model("accounts", "Session")
    user = apps.get_model("accounts", "User")
    store = SessionStore()
    for sessions in _read_batches(old):
        contents = {session.session_key: store.decode(session.session_data) for session in sessions}
        named = {content[SESSION_KEY] for content in contents.values() if SESSION_KEY in content}
        existing = {str(pk) for pk in user.objects.filter(pk__in=named).values_list("pk", flat=True)}
        new.objects.bulk_create(
            new(
                session_key=session.session_key,
                session_data=session.session_data,
                expire_date=session.expire_date,
                user_id=contents[session.session_key].get(SESSION_KEY),
            )
            for session in sessions
            # Nobody can use the others: a user who is gone, or a content that no key has signed.
            if contents[session.session_key] and contents[session.session_key].get(SESSION_KEY, None) in {None, *existing}
        )


def copy_back(apps: Any, schema_editor: Any) -> None:
    """Replace the sessions in Django's table, some of which have ended since they were copied."""
    old = apps.get_model("sessions", "Session")
    new = apps.get_model("accounts", "Session")
    old.objects.all().delete()
    for sessions in _read_batches(new):
        old.objects.bulk_create(
            old(session_key=session.session_key, session_data=session.session_data, expire_date=session.expire_date) for session in sessions
        )


def _read_batches(model: Any) -> Any:
    last = ""
    while batch := list(model.objects.filter(expire_date__gt=timezone.now(), session_key__gt=last).order_by("session_key")[:_BATCH]):
        yield batch
        last = batch[-1].session_key


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_confirmed_addresses'),
        ('sessions', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Session',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                ('user', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
                'abstract': False,
            },
        ),
        migrations.RunPython(copy_forward, copy_back),
    ]
