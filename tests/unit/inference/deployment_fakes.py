"""Fakes of what the deployment's functions see: versions, claims, SageMaker, the ledger."""

from __future__ import annotations

from typing import Any

from lambdas.inference.contract import EndpointBusyError
from lambdas.inference.endpoint import Endpoint


def model(version: int, state: str = "approved") -> dict[str, Any]:
    return {
        "version": version,
        "state": state,
        "artefact_uri": f"s3://models/m-{version}/model.tar.gz",
        "image_uri": "registry/image@sha256:1",
    }


class FakeModels:
    """Registered versions, and what is recorded as serving."""

    def __init__(self, *records: dict[str, Any], serving: dict[str, Any] | None = None):
        self.records = {record["version"]: record for record in records}
        self.recorded = serving

    def version(self, version):
        return self.records.get(version)

    def serving(self):
        return self.recorded

    def change_state(self, version, wanted):
        self.records[version]["state"] = wanted
        return True


class FakeClaims:
    """Claims in memory, each written only where it is as expected."""

    def __init__(self, *claims):
        self.claims = {claim.subject: claim for claim in claims}

    def get(self, subject):
        return self.claims.get(subject)

    def put(self, claim, *, replacing):
        if self.claims.get(claim.subject) != replacing:
            return False
        self.claims[claim.subject] = claim
        return True


class FakeExecutions:
    """Executions, of which some still run."""

    def __init__(self, *running):
        self.running = set(running)

    def is_running(self, execution_arn):
        return execution_arn in self.running


class FakeHosting:
    """SageMaker, in which every change takes effect when it is looked at again."""

    def __init__(self, *, configs: dict[str, str] | None = None, **endpoints: Endpoint):
        self.endpoints = {name.replace("_", "-"): each for name, each in endpoints.items()}
        self.configs = dict(configs or {})
        self.models = set(self.configs.values())

    def has_model(self, name):
        return name in self.models

    def has_endpoint_config(self, name):
        return name in self.configs

    def models_of(self, config_name):
        return [self.configs[config_name]] if config_name in self.configs else []

    def endpoint(self, name):
        return self.endpoints.get(name)

    def move(self, endpoint_name, config_name, how):
        assert how["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
        self.endpoints[endpoint_name] = Endpoint("InService", config_name)

    def delete_endpoint(self, name):
        self.endpoints.pop(name, None)

    def delete_config(self, name):
        return self.configs.pop(name, None) is not None

    def delete_model(self, name):
        found = name in self.models
        self.models.discard(name)
        return found


class FakeLedger:
    """Records by their token."""

    def __init__(self):
        self.entries: dict[str, dict[str, Any]] = {}

    def append(self, entry):
        return self.entries.setdefault(entry["token"], dict(entry))

    def events(self):
        return [(each["event_type"], each["subject"]) for each in self.entries.values()]


def patiently(work):
    """Do something again as Step Functions does while the endpoint is busy."""
    for _ in range(5):
        try:
            return work()
        except EndpointBusyError:
            continue
    raise AssertionError("busy for ever")
