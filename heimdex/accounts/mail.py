"""Send e-mails about accounts, where HEIMDEX_EMAIL_URL is set. They hold links of this site and no text that a stranger chose."""

from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import send_mail

from heimdex.errors import Unavailable

log = structlog.get_logger(__name__)

NOT_SENT = "The e-mail could not be sent, so nothing was changed. Try again in a few minutes. If it happens again, ask an administrator."


def is_mail_configured() -> bool:
    """Return whether this installation sends e-mails."""
    return bool(settings.ENVIRONMENT.email_url)


def build_site_link(path: str) -> str:
    """Return the absolute URL of a path. It is not built from a request, whose header `Host` somebody else may have chosen."""
    return str(settings.ENVIRONMENT.public_url).rstrip("/") + path


def send(recipient: str, subject: str, text: str) -> None:
    """Send an e-mail. Raise Unavailable when the mail server does not accept it.

    Call it last in a transaction, so that nothing is stored without its e-mail.
    """
    try:
        send_mail(subject, text, None, [recipient])
    except (SMTPException, OSError) as error:
        log.warning("Cannot send an e-mail; check HEIMDEX_EMAIL_URL and the mail server", reason=str(error))
        raise Unavailable(NOT_SENT) from error
