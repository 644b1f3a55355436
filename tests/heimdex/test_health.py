"""The health check that load balancers act on."""

import pytest
from django.db import connection
from django.test import Client


@pytest.mark.django_db(transaction=True)
def test_health_follows_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = client.get("/healthz")
    assert (healthy.status_code, healthy.json()) == (200, {"status": "ok", "database": "ok", "queue": "ok"})
    assert not healthy.cookies

    with monkeypatch.context() as patch:
        connection.close()
        patch.setitem(connection.settings_dict, "PORT", 1)
        unhealthy = client.get("/healthz")
    assert (unhealthy.status_code, unhealthy.json()) == (503, {"status": "unavailable", "database": "unreachable", "queue": "unreachable"})

    assert client.get("/healthz").status_code == 200
