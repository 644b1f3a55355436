"""The Django project: settings, accounts, models behind interfaces, media, queue, and the embedded database."""
