"""Endpoints: the operations, and the blue/green change from one fleet to the next."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from localcloud.jobs import completions
from localcloud.jobs.connections import await_gateway
from localcloud.jobs.host import Host
from localcloud.registry import Call, ServiceError
from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.fleet import Fleet
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.models import find_config, find_model
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.serving import NotHealthyError
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags
from localcloud.sagemaker.transfer import TransferError

LOG = logging.getLogger(__name__)
KIND = "endpoint"
SUMMARY = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
CHANGEABLE = ("InService", "Failed")
FleetKey = tuple[Scope, str]


class Endpoints:
    """Creates, updates, describes, lists and deletes endpoints."""

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        self._host = host
        self._store = store
        self._tags = tags
        self._fleets: dict[FleetKey, Fleet] = {}
        self._lock = threading.Lock()

    def create(self, call: Call) -> Document:
        """Create an endpoint."""
        scope, name = Scope.of(call), call.parameters["EndpointName"]
        config = find_config(self._store, scope, call.parameters["EndpointConfigName"])
        plan = self._plan(scope, config)
        arn, moment = scope.arn(KIND, name), now()
        document = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": config["EndpointConfigName"],
            "EndpointStatus": "Creating",
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "Plan": plan,
        }
        if not self._store.add(scope, KIND, name, document):
            raise invalid(f'Cannot create already existing endpoint "{arn}".')
        self._tags.set(scope, arn, call.parameters.get("Tags", []))
        self._background(lambda: self._bring_up(scope, name, plan))
        return {"EndpointArn": arn}

    def update(self, call: Call) -> Document:
        """Move an endpoint to another configuration."""
        scope, name = Scope.of(call), call.parameters["EndpointName"]
        config_name = call.parameters["EndpointConfigName"]
        config = find_config(self._store, scope, config_name)
        plan = self._plan(scope, config)
        with self._lock:
            endpoint = self._get(scope, name)
            if endpoint["EndpointStatus"] != "InService":
                raise invalid(
                    f'Cannot update endpoint "{endpoint["EndpointArn"]}" in status '
                    f"{endpoint['EndpointStatus']}."
                )
            self._set(scope, name, EndpointStatus="Updating", FailureReason=None)
        self._background(lambda: self._switch(scope, name, config_name, plan))
        return {"EndpointArn": endpoint["EndpointArn"]}

    def describe(self, call: Call) -> Document:
        """Describe an endpoint."""
        endpoint = self._get(Scope.of(call), call.parameters["EndpointName"])
        if endpoint["EndpointStatus"] in ("Creating", "Failed"):
            return endpoint
        variants = [_variant_summary(v, endpoint["Plan"]) for v in endpoint["Plan"]["Variants"]]
        return {**endpoint, "ProductionVariants": variants}

    def list(self, call: Call) -> Document:
        """List endpoints."""
        found, token = page(
            self._store.all(Scope.of(call), KIND),
            call.parameters,
            name="EndpointName",
            status="EndpointStatus",
            fields=SUMMARY,
        )
        return {"Endpoints": found, **({"NextToken": token} if token else {})}

    def delete(self, call: Call) -> Document:
        """Delete an endpoint."""
        scope, name = Scope.of(call), call.parameters["EndpointName"]
        with self._lock:
            endpoint = self._get(scope, name)
            if endpoint["EndpointStatus"] not in CHANGEABLE:
                raise invalid(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
            self._set(scope, name, EndpointStatus="Deleting")
            fleet = self._fleets.pop((scope, name), None)
        self._background(lambda: self._take_down(scope, name, fleet))
        return {}

    def fleet(self, scope: Scope, name: str) -> Fleet | None:
        """Find the fleet that answers for an endpoint."""
        return self._fleets.get((scope, name))

    def exists(self, scope: Scope, name: str) -> bool:
        """Tell whether there is an endpoint of a name."""
        return self._store.find(scope, KIND, name) is not None

    def recover(self) -> None:
        """Start again what served before the embedded AWS was stopped."""
        for scope, name in list(self._store.everywhere(KIND)):
            endpoint = self._store.find(scope, KIND, name) or {}
            status = endpoint.get("EndpointStatus")
            if status == "Deleting":
                self._take_down(scope, name, None)
            elif status != "Failed":
                self._set(scope, name, EndpointStatus="SystemUpdating")
                self._begin_again(scope, name, endpoint["Plan"])

    def abandon(self) -> None:
        """Restart no container from now on; the endpoints stay as they are."""
        for fleet in list(self._fleets.values()):
            fleet.abandon()

    def _begin_again(self, scope: Scope, name: str, plan: Document) -> None:
        def work() -> None:
            await_gateway()
            self._bring_up(scope, name, plan)

        self._background(work)

    def _get(self, scope: Scope, name: str) -> Document:
        missing = f'Could not find endpoint "{scope.arn(KIND, name)}".'
        return self._store.get(scope, KIND, name, missing)

    def _set(self, scope: Scope, name: str, **fields: object) -> None:
        self._store.change(scope, KIND, name, **fields, LastModifiedTime=now())

    def _plan(self, scope: Scope, config: Document) -> Document:
        variants = config["ProductionVariants"]
        models = {v["ModelName"]: find_model(self._store, scope, v["ModelName"]) for v in variants}
        for model in models.values():
            if not model.get("ExecutionRoleArn"):
                raise invalid(f"Model {model['ModelName']} has no ExecutionRoleArn.")
        return {"Variants": variants, "Models": models}

    def _start(self, name: str, plan: Document) -> tuple[Fleet | None, str]:
        """Start a fleet; on failure there is none, but a reason."""
        try:
            fleet = Fleet(self._host, name, plan)
            fleet.start()
        except (NotHealthyError, TransferError, ServiceError) as error:
            return None, str(error)[:1024]
        except Exception as error:
            LOG.exception("endpoint %s", name)
            return None, f"InternalServerError: {error}"
        return fleet, ""

    def _bring_up(self, scope: Scope, name: str, plan: Document) -> None:
        fleet, reason = self._start(name, plan)
        if fleet:
            self._fleets[scope, name] = fleet
            self._set(scope, name, EndpointStatus="InService")
        else:
            self._set(scope, name, EndpointStatus="Failed", FailureReason=reason)
        completions.announce(scope.arn(KIND, name))

    def _switch(self, scope: Scope, name: str, config_name: str, plan: Document) -> None:
        """Start the new fleet beside the old one; the old one goes only when the new one serves."""
        fresh, reason = self._start(name, plan)
        if fresh is None:
            # As on AWS, a failed update is rolled back: the old configuration serves on.
            self._set(scope, name, EndpointStatus="InService", FailureReason=reason)
            return
        old = self._fleets.get((scope, name))
        self._fleets[scope, name] = fresh
        fields = {"EndpointConfigName": config_name, "Plan": plan}
        self._set(scope, name, EndpointStatus="InService", **fields)
        if old:
            old.drain()

    def _take_down(self, scope: Scope, name: str, fleet: Fleet | None) -> None:
        if fleet:
            fleet.drain()
        self._tags.forget(scope, scope.arn(KIND, name))
        self._store.remove(scope, KIND, name)

    def _background(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="endpoint-change", daemon=True).start()


def _variant_summary(variant: Document, plan: Document) -> Document:
    model = plan["Models"][variant["ModelName"]]
    containers = model.get("Containers") or [model["PrimaryContainer"]]
    images = [{"SpecifiedImage": c["Image"], "ResolvedImage": c["Image"]} for c in containers]
    weight = variant.get("InitialVariantWeight", 1.0)
    summary: Document = {
        "VariantName": variant["VariantName"],
        "DeployedImages": images,
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "ServerlessConfig" in variant:
        return {**summary, "CurrentServerlessConfig": variant["ServerlessConfig"]}
    count = variant.get("InitialInstanceCount", 1)
    return {**summary, "CurrentInstanceCount": count, "DesiredInstanceCount": count}
