"""The API is what it says it is: requests made from its own description end as that says, and never with a fault of ours."""

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
from tests.planted import belonging_to, plant_owner
from videos.models import RecordedQuery

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# What an id in an address is one of, by the word before it.
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
def connection_stays() -> Iterator[None]:
    """Keep the connection, and with it the test's transaction, over requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def ids_of(owner: User) -> dict[str, Any]:
    """Return an id of the owner for each word that comes before one in an address."""
    video = plant_owner(owner)
    scene = video.scenes.earliest("index")
    rows = {word: model._default_manager.filter(belonging_to(model, owner)).values_list("pk", flat=True)[0] for word, model in ROWS.items()}
    return {**rows, "videos": video.pk, "scenes": scene.pk}


def test_the_api_describes_itself_without_a_doubt() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)


@pytest.mark.django_db
def test_whatever_is_asked_is_answered_as_described(connection_stays: None) -> None:
    admin = make_user(is_staff=True)
    ids = ids_of(admin)
    token = {"Authorization": f"Bearer {AccessToken.for_user(admin)}"}
    statuses: defaultdict[str, set[int]] = defaultdict(set)
    sensible = cycle((True, False))

    def ask(case: schemathesis.Case) -> None:
        words = case.operation.path.strip("/").split("/")
        case.path_parameters = {name.strip("{}"): str(ids[word]) for word, name in pairwise(words) if name.startswith("{")}
        if next(sensible):
            # A place to go on from, and whom to look for, cannot be made up.
            case.query = {name: value for name, value in (case.query or {}).items() if name not in ("cursor", "person_id", "video_id")}
        with transaction.atomic():
            answer = case.call(headers=token)
            transaction.set_rollback(True)
        statuses[case.operation.label].add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    for found in schemathesis.openapi.from_wsgi("/v1/schema/?format=json", application).get_all_operations():
        few_of_each_kind(given(found.ok().as_strategy())(ask))()

    # A request that is never taken proves little: whatever can be read has been read.
    read = {label for label, seen in statuses.items() if 200 in seen}
    assert read >= {label for label in statuses if label.startswith("GET")} > {"GET /v1/search", "GET /v1/persons/{id}/faces"}
