"""The demo's client of the API."""

import pytest
from pytest_django.live_server_helper import LiveServer

from demo.client import ApiError, Client
from heimdex.accounts.models import User


@pytest.mark.django_db(transaction=True)
def test_an_expired_token_is_renewed_once(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("owner@example.org", "correct horse battery")
    client = Client(live_server.url)
    client.log_in("owner@example.org", "correct horse battery")
    monkeypatch.setattr(client, "_token", "expired")
    assert client.get("/v1/videos")["count"] == 0
    monkeypatch.setattr(client, "_token", "expired")
    monkeypatch.setattr(client, "_credentials", {"email": "owner@example.org", "password": "wrong"})
    with pytest.raises(ApiError, match="/v1/auth/token → 401"):
        client.get("/v1/videos")
