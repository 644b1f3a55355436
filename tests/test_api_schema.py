"""The API matches its own OpenAPI schema: generated requests get documented responses and never cause a server error."""

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle, pairwise
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, models, transaction
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from rest_framework_simplejwt.tokens import AccessToken
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from heimdex.accounts.models import User
from heimdex.wsgi import application
from people.models import FaceGroup, Person, PersonPhoto, SceneFace
from reprocess.models import Cutover, ReprocessRun
from tests.library import make_user
from tests.planted import filter_by_owner, plant_owner
from videos.models import RecordedQuery

pytestmark = pytest.mark.integration

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# The model of an id in a URL, by the path segment before it.
ROWS: dict[str, type[models.Model]] = {
    "persons": Person,
    "photos": PersonPhoto,
    "faces": SceneFace,
    "groups": FaceGroup,
    "reprocess-runs": ReprocessRun,
    "cutovers": Cutover,
    "queries": RecordedQuery,
}
few_of_each_kind = hypothesis_settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def keep_connection() -> Iterator[None]:
    """Keep the connection, and with it the test's transaction, across requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def list_ids(owner: User) -> dict[str, Any]:
    """Return an id of the owner for each path segment that precedes one."""
    video = plant_owner(owner)
    scene = video.scenes.earliest("index")
    rows = {
        word: model._default_manager.filter(filter_by_owner(model, owner)).values_list("pk", flat=True)[0] for word, model in ROWS.items()
    }
    return {**rows, "videos": video.pk, "scenes": scene.pk}


def test_the_schema_is_valid_and_has_no_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)


@pytest.mark.django_db
def test_every_response_matches_the_schema(keep_connection: None) -> None:
    admin = make_user(is_staff=True)
    ids = list_ids(admin)
    token = {"Authorization": f"Bearer {AccessToken.for_user(admin)}"}
    statuses: defaultdict[str, set[int]] = defaultdict(set)
    valid = cycle((True, False))

    def send(case: schemathesis.Case[Any]) -> None:
        words = case.operation.path.strip("/").split("/")
        case.path_parameters = {name.strip("{}"): str(ids[word]) for word, name in pairwise(words) if name.startswith("{")}
        if next(valid):
            # Cursors and ids cannot be generated.
            case.query = {name: value for name, value in (case.query or {}).items() if name not in ("cursor", "person_id", "video_id")}
        with transaction.atomic():
            answer = case.call(headers=token)
            transaction.set_rollback(True)
        statuses[case.operation.label].add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    for operation in schemathesis.openapi.from_wsgi("/v1/schema/?format=json", application).get_all_operations():
        few_of_each_kind(given(operation.ok().as_strategy())(send))()

    # Every readable endpoint must have returned 200 at least once.
    read = {label for label, seen in statuses.items() if 200 in seen}
    assert read >= {label for label in statuses if label.startswith("GET")} > {"GET /v1/search", "GET /v1/persons/{id}/faces"}
