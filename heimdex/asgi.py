"""The ASGI entry point that gunicorn serves."""

from django.conf import settings

from heimdex.web.patience import Patience
from heimdex.web.site import Site
from heimdex.wsgi import application as django_application

application = Site(
    django_application,
    threads=settings.WEB_THREADS,
    patience=Patience.start(settings.CLIENT_PATIENCE_SECONDS, settings.CLIENT_MIN_BYTES_PER_SECOND),
)
