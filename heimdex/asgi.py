"""The ASGI entry point that gunicorn serves."""

# First: it loads the apps, whose models the other modules import.
from heimdex.wsgi import application as django_application  # isort: split

from django.conf import settings

from heimdex.web.patience import Patience
from heimdex.web.site import Site

application = Site(
    django_application,
    threads=settings.WEB_THREADS,
    patience=Patience.start(settings.CLIENT_PATIENCE_SECONDS, settings.CLIENT_MIN_BYTES_PER_SECOND),
)
