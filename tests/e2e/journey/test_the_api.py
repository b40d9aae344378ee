"""The API as its document describes it: whoever asks, whatever is asked."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import Credentials

from stacks.common.api_document import api_document, operations
from tests.e2e.journey.api_client import APPROVALS, ApiClient, Signature
from tests.e2e.journey.api_corpus import bodies
from tests.e2e.journey.api_generation import REQUESTS, generate, rate
from tests.e2e.journey.test_from_sources_to_predictions import samples, serving
from tests.e2e.localcloud.conftest import eventually

GROUPS = ("viewer", "operator", "approver")
PASSWORD = "Fourteen-and-2-more"
PATHS = {"{prediction_id}": "none", "{version}": "99999999", "{decision_id}": "none"}


@pytest.fixture(scope="module")
def api(bare_platform):
    return ApiClient(bare_platform)


@pytest.fixture(scope="module")
def document(bare_platform):
    return api_document(bare_platform.outputs("Foundation")["UseCase"])


@pytest.fixture(scope="module")
def people(bare_platform):
    """One person a group, signed in by the operator's command."""
    pool = bare_platform.outputs("Foundation")["UserPoolId"]
    found = {}
    for group in GROUPS:
        bare_platform.command("users", "add", f"a-{group}", "--group", group)
        bare_platform.client("cognito-idp").admin_set_user_password(
            UserPoolId=pool, Username=f"a-{group}", Password=PASSWORD, Permanent=True
        )
        printed = bare_platform.command("sign-in", f"a-{group}", "--password", PASSWORD)
        keys = dict(re.findall(r"export (AWS_\w+)='([^']+)'", printed))
        found[group] = Credentials(
            keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"]
        )
    return found


def concrete(path: str) -> str:
    for name, value in PATHS.items():
        path = path.replace(name, value)
    return path


def harmless(operation) -> str | None:
    """A body that no operation takes, so that who may ask changes nothing."""
    return "{}" if operation.model else None


def test_the_document_is_served_as_it_was_deployed(api, document):
    assert api.send("GET", "/openapi.json").json() == document


def test_each_group_may_what_the_document_says(api, document, people):
    for operation in operations(document):
        for group, keys in people.items():
            auth = Signature(keys, api.region)
            answer = api.send(
                operation.method, concrete(operation.path), harmless(operation), auth=auth
            )
            refused = answer.status_code in (401, 403)
            assert refused != (group in operation.groups), (operation, group, answer.text)
            assert not refused or answer.status_code == 403, (operation, group, answer.text)


def unknown_callers(api, people):
    """Whoever is not known, each in another way."""
    viewer = people["viewer"]
    stale = Credentials("ASIASTALE", viewer.secret_key, viewer.token)
    yield "nobody", None
    yield (
        "a forged secret",
        Signature(Credentials(viewer.access_key, "x", viewer.token), api.region),
    )
    yield "a forged token", Signature(Credentials(viewer.access_key, viewer.secret_key, "x"),
                                      api.region)  # fmt: skip
    yield "no token", Signature(Credentials(viewer.access_key, viewer.secret_key), api.region)
    yield "an unknown key", Signature(stale, api.region)
    yield "another service", Signature(viewer, api.region, service="s3")
    yield "another region", Signature(viewer, "mars-east-1")
    yield "yesterday's signature", Stale(viewer, api.region)
    yield "a bearer token", Bearer()


class Bearer:
    """Something else than a signature."""

    def __call__(self, prepared):
        prepared.headers["Authorization"] = "Bearer something"
        return prepared


class Stale(Signature):
    """A signature of an hour ago."""

    def __call__(self, prepared):
        signed = super().__call__(prepared)
        earlier = datetime.now(UTC) - timedelta(hours=1)
        signed.headers["X-Amz-Date"] = earlier.strftime("%Y%m%dT%H%M%SZ")
        return signed


def test_who_is_not_known_is_told_so_everywhere(api, document, people):
    for operation in operations(document):
        for name, auth in unknown_callers(api, people):
            answer = api.send(
                operation.method,
                concrete(operation.path),
                harmless(operation),
                auth=auth,
                signed=False,
            )
            told = (name, operation.path, answer.text)
            assert answer.status_code == 401, told
            assert answer.headers["Content-Type"] == "application/problem+json", told
            assert answer.json()["status"] == 401, told
            assert answer.headers["X-Correlation-Id"], told
            assert answer.headers["WWW-Authenticate"], told


def test_a_prediction_is_traced_from_the_request_to_the_source_files(api, bare_platform):
    instance = samples(bare_platform)[0]["instance"]
    body = {"instances": [instance], "references": ["api-entity"]}
    headers = {"X-Correlation-Id": "traced-1", "Idempotency-Key": "once-1"}

    first = api.send("POST", "/predictions", body, headers=headers)
    again = api.send("POST", "/predictions", body, headers=headers)
    other = api.send("POST", "/predictions", {"instances": [{}]}, headers=headers)

    assert first.status_code == 200, first.text
    assert first.headers["X-Correlation-Id"] == "traced-1"
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert other.status_code == 422
    prediction = first.json()["predictions"][0]["prediction_id"]
    lineage = eventually(
        lambda: api.send("GET", f"/predictions/{prediction}/lineage"),
        lambda answer: answer.status_code == 200,
    ).json()
    assert lineage["model"]["version"] == int(first.json()["model_version"])
    assert lineage["dataset"]["dataset_id"] == lineage["model"]["dataset_id"]
    assert {each["source"] for each in lineage["dataset"]["objects"]} >= {"flights", "weather"}
    assert lineage["correlation_id"] == "traced-1"
    assert "serve_predictions: request answered" in bare_platform.command(
        "logs", "--correlation-id", "traced-1"
    )

    label = {"reference": "api-entity", "label": 1, "known_at": "2026-01-01T00:00:00Z"}
    told = api.send("POST", "/labels", {"labels": [label]}).json()
    assert told == {"recorded": 1, "awaited_by_none": []}
    stored = api.send("GET", f"/predictions/{prediction}").json()
    assert stored["outcome"] == {"label": 1, "known_at": "2026-01-01T00:00:00Z"}


def test_what_serves_now_and_what_served_before_anything_did(api, bare_platform):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    version = int(serving(bare_platform)["version"]["N"])
    (found,) = api.send("GET", f"/deployments?at={now}").json()["deployments"]
    assert (found["version"], found["to"]) == (version, None)
    assert api.send("GET", "/deployments?at=2001-01-01T00:00:00Z").json() == {"deployments": []}
    models = api.send("GET", "/models").json()["models"]
    assert version in {model["version"] for model in models}
    assert api.send("GET", f"/models/{version}").json()["state"] == "deployed"


def test_what_the_api_does_not_have_is_said_with_its_status(api):
    assert api.send("GET", "/nothing/here").status_code == 404
    answer = api.send("DELETE", "/models")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert api.send("PUT", "/approvals/1", "{}").status_code == 405


def test_no_body_of_the_corpus_is_a_fault_of_ours(api, document):
    documented = {
        operation.path: set(document["paths"][operation.path]["post"]["responses"])
        for operation in operations(document)
        if operation.model
    }
    for path, statuses in documented.items():
        for body in bodies():
            headers = {"Content-Type": body.content_type}
            if body.encoding:
                headers["Content-Encoding"] = body.encoding
            answer = eventually(
                lambda p=path, b=body, h=headers: api.send(
                    "POST", concrete(p), b.content, headers=h
                ),
                lambda found: found.status_code != 429,
            )
            told = (path, body.name, answer.status_code, answer.text[:300])
            assert str(answer.status_code) in statuses, told
            assert answer.status_code < 500, told
            if answer.status_code >= 400:
                assert answer.json()["status"] == answer.status_code, told


def test_generated_requests_get_documented_answers(
    bare_platform, document, people, record_property
):
    approver = people["approver"]  # the embedded AWS's operator is nobody in particular
    started = time.perf_counter()

    answers = generate(
        lambda path: ApiClient(bare_platform, approver if path.startswith(APPROVALS) else None),
        document,
        REQUESTS,
    )

    count = sum(answers.statuses.values())
    record_property("requests", count)
    record_property("speed", rate(started, count))
    record_property("throttled", answers.throttled)
    record_property("statuses", json.dumps(answers.told()))
    assert answers.faults == [], f"{len(answers.faults)} faults: " + "\n".join(answers.faults[:10])
    assert count >= REQUESTS * 0.9
    assert 200 in answers.of("listModels") & answers.of("listDeployments")
