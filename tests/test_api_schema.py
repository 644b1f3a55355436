"""The API matches its own OpenAPI schema, whoever asks: generated requests get documented responses and never cause a server error."""

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle, pairwise
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from rest_framework_simplejwt.tokens import AccessToken
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from heimdex.accounts.models import User
from heimdex.wsgi import application
from tests.isolation import ADMIN
from tests.library import make_user
from tests.planted import find_ids, plant_owner

pytestmark = pytest.mark.integration

# Without those that expect an acceptance or a rejection: a schema cannot say which sizes, names and states an action refuses, and REST
# framework reads the last of repeated values, numbers as texts, and the default for an impossible page size.
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.missing_required_header,
    checks.ignored_auth,
]
# They ask for a password or a refresh token, create an account, or send an e-mail.
PUBLIC = {
    f"/v1/auth/{name}"
    for name in ("register", "login", "token", "token/refresh", "token/revoke", "password/reset", "password/reset/confirm")
}
ROLES = ("anonymous", "user", "admin")
METHODS = ("get", "post", "put", "patch", "delete")
few_of_each_kind = hypothesis_settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
fewer_of_each_kind = hypothesis_settings(few_of_each_kind, max_examples=4)
short_scenarios = hypothesis_settings(few_of_each_kind, max_examples=60, stateful_step_count=6)


@pytest.fixture
def keep_connection() -> Iterator[None]:
    """Keep the connection, and with it the test's transaction, across requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


# Parameters whose values the schema cannot describe: cursors, ids, and conditions that depend on others.
NOT_GENERATED = ("cursor", "person_id", "video_id", "collection_id", "after", "before", "longer", "shorter", "lang", "evidence")


def load_schema() -> schemathesis.BaseSchema:
    """Return the schema that the service describes itself with."""
    return schemathesis.openapi.from_wsgi("/v1/schema/?format=json", application)


def build_headers(role: str, user: User) -> dict[str, str]:
    """Return the headers of the user's requests: none for an anonymous one."""
    return {} if role == "anonymous" else {"Authorization": f"Bearer {AccessToken.for_user(user)}"}


def test_the_schema_is_valid_and_has_no_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_every_response_matches_the_schema(keep_connection: None, role: str) -> None:
    owner = make_user(is_staff=role == "admin")
    ids, headers = find_ids(owner, plant_owner(owner)), build_headers(role, owner)
    statuses: defaultdict[str, set[int]] = defaultdict(set)
    valid = cycle((True, False))

    def send(case: schemathesis.Case[Any]) -> None:
        words = case.operation.path.strip("/").split("/")
        case.path_parameters = {name.strip("{}"): str(ids[word]) for word, name in pairwise(words) if name.startswith("{")}
        if case.meta.generation.mode.is_positive and next(valid):
            # Cursors and ids cannot be generated.
            case.query = {name: value for name, value in (case.query or {}).items() if name not in NOT_GENERATED}
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        statuses[case.operation.label].add(answer.status_code)
        case.validate_response(answer, checks=CHECKS, headers=headers)

    for operation in load_schema().get_all_operations():
        for mode, limits in ((GenerationMode.POSITIVE, few_of_each_kind), (GenerationMode.NEGATIVE, fewer_of_each_kind)):
            limits(given(operation.ok().as_strategy(generation_mode=mode))(send))()

    refused = {label for label, seen in statuses.items() if seen <= {401, 403} and label.split()[1] not in PUBLIC}
    expected = {
        "anonymous": {label for label in statuses if label.split()[1] not in PUBLIC},
        "user": {label for label in statuses if f" {ADMIN}" in label},
        "admin": set(),
    }
    assert refused == expected[role]
    # Every readable endpoint must have returned 200 at least once.
    read = {label for label, seen in statuses.items() if 200 in seen} | refused
    assert read >= {label for label in statuses if label.startswith("GET")} > {"GET /v1/search", "GET /v1/persons/{id}/faces"}


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_methods_that_the_schema_does_not_name_are_refused(keep_connection: None, role: str) -> None:
    owner = make_user(is_staff=role == "admin")
    ids, client = find_ids(owner, plant_owner(owner)), Client(headers=build_headers(role, owner))
    for path, declared in load_schema().raw_schema["paths"].items():
        words = path.strip("/").split("/")
        url = path.format_map({name.strip("{}"): ids[word] for word, name in pairwise(words) if name.startswith("{")})
        allowed = client.options(url)
        if allowed.status_code == 200:
            assert set(allowed["Allow"].lower().split(", ")) - {"options", "head"} == set(declared) & set(METHODS), path
        for method in set(METHODS) - set(declared):
            assert getattr(client, method)(url).status_code in {"anonymous": (401, 405), "user": (403, 405), "admin": (405,)}[role], (
                method,
                path,
            )


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["user", "admin"])
def test_what_a_request_creates_is_found_until_it_is_deleted(keep_connection: None, role: str) -> None:
    """Chains of requests: each takes ids from the answers before it."""
    headers = build_headers(role, make_user(is_staff=role == "admin"))
    statuses: defaultdict[str, set[int]] = defaultdict(set)
    schema = load_schema().include(path_regex="^/v1/persons(/{id})?$")

    class Scenario(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self.savepoint = transaction.savepoint()

        def teardown(self) -> None:
            transaction.savepoint_rollback(self.savepoint)
            super().teardown()

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def after_call(self, response: Any, case: Any) -> None:
            statuses[case.operation.label].add(response.status_code)

        def validate_response(self, response: Any, case: Any, additional_checks: Any = None, **kwargs: Any) -> None:
            wanted = [*CHECKS, checks.use_after_free, checks.ensure_resource_availability]
            case.validate_response(response, checks=wanted, headers=headers, transport_kwargs=kwargs, recorder=self.recorder)

    Scenario.run(settings=short_scenarios)
    # The draws depend on what else is imported, so only these few operations are sure to be chained.
    assert [label for label, seen in statuses.items() if "/v1/persons/{id}" in label and seen & {200, 204}], (
        "no chain has reached a second request"
    )
