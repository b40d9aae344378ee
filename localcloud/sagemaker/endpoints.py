"""Endpoints: the operations. What they start is in `endpoint_changes`."""

from __future__ import annotations

import threading

from localcloud import alarms
from localcloud.jobs.host import Host
from localcloud.registry import Call
from localcloud.sagemaker.deployment_policy import policy_of
from localcloud.sagemaker.endpoint_changes import KIND, EndpointChanges
from localcloud.sagemaker.endpoint_summaries import COUNT, WEIGHT, counts_of, described
from localcloud.sagemaker.errors import invalid, unsupported
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.models import find_config, find_model
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags
from localcloud.sagemaker.traffic import Routes

SUMMARY = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
CHANGEABLE = ("InService", "Failed")
CHANGING = ("Updating", "RollingBack")
INTERRUPTED = "The embedded AWS was stopped during the deployment; the old configuration serves on."


class Endpoints:
    """Creates, updates, scales, describes, lists and deletes endpoints."""

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        self._store = store
        self._tags = tags
        self._changes = EndpointChanges(host, store, tags)
        self._lock = threading.Lock()

    def create(self, call: Call) -> Document:
        """Create an endpoint."""
        scope, name = Scope.of(call), call.parameters["EndpointName"]
        config = find_config(self._store, scope, call.parameters["EndpointConfigName"])
        arn, moment = scope.arn(KIND, name), now()
        document = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": config["EndpointConfigName"],
            "EndpointStatus": "Creating",
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "LastDeploymentConfig": call.parameters.get("DeploymentConfig"),
            "Plan": self._plan(scope, config),
            "Capacity": {},
        }
        policy_of(document["LastDeploymentConfig"], _alarm_exists)
        if not self._store.add(scope, KIND, name, document):
            raise invalid(f'Cannot create already existing endpoint "{arn}".')
        self._tags.set(scope, arn, call.parameters.get("Tags", []))
        self._changes.bring_up(scope, name)
        return {"EndpointArn": arn}

    def update(self, call: Call) -> Document:
        """Move an endpoint to another configuration."""
        scope, name = Scope.of(call), call.parameters["EndpointName"]
        config = find_config(self._store, scope, call.parameters["EndpointConfigName"])
        plan = self._plan(scope, config)
        endpoint = self._get(scope, name)
        deployment = call.parameters.get("DeploymentConfig")
        if call.parameters.get("RetainDeploymentConfig"):
            deployment = endpoint.get("LastDeploymentConfig")
        policy = policy_of(deployment, _alarm_exists)
        target = {
            "EndpointConfigName": config["EndpointConfigName"],
            "Plan": plan,
            "Capacity": _retained(call, endpoint),
            "LastDeploymentConfig": deployment,
        }
        self._begin(scope, name)
        self._changes.switch(scope, name, target, policy)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def update_weights_and_capacities(self, call: Call) -> Document:
        """Give variants other weights and numbers of instances."""
        scope, name = Scope.of(call), call.parameters["EndpointName"]
        endpoint = self._get(scope, name)
        known = counts_of(endpoint["Plan"], {})
        capacity: Document = {}
        for wanted in call.parameters["DesiredWeightsAndCapacities"]:
            if wanted["VariantName"] not in known:
                raise invalid(f'Could not find variant "{wanted["VariantName"]}" of {name}.')
            if "ServerlessUpdateConfig" in wanted or wanted.get(COUNT) == 0:
                raise unsupported("ServerlessUpdateConfig, and variants without an instance")
            capacity[wanted["VariantName"]] = {k: wanted[k] for k in (COUNT, WEIGHT) if k in wanted}
        self._begin(scope, name)
        self._changes.rescale(scope, name, capacity)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def describe(self, call: Call) -> Document:
        """Describe an endpoint."""
        return described(self._get(Scope.of(call), call.parameters["EndpointName"]))

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
        self._changes.take_down(scope, name)
        return {}

    def routes(self, scope: Scope, name: str) -> Routes | None:
        """Find who answers for an endpoint."""
        return self._changes.routes(scope, name)

    def exists(self, scope: Scope, name: str) -> bool:
        """Tell whether there is an endpoint of a name."""
        return self._store.find(scope, KIND, name) is not None

    def recover(self) -> None:
        """Start again what served before the embedded AWS was stopped."""
        for scope, name in list(self._store.everywhere(KIND)):
            endpoint = self._store.find(scope, KIND, name) or {}
            status = endpoint.get("EndpointStatus")
            if status == "Deleting":
                self._changes.take_down(scope, name)
            elif status != "Failed":
                reason = {"FailureReason": INTERRUPTED} if status in CHANGING else {}
                self._set(scope, name, EndpointStatus="SystemUpdating", **reason)
                self._changes.bring_up(scope, name, after_gateway=True)

    def abandon(self) -> None:
        """Restart no container from now on; the endpoints stay as they are."""
        self._changes.abandon()

    def _begin(self, scope: Scope, name: str) -> None:
        """Refuse a change while another one is under way."""
        with self._lock:
            endpoint = self._get(scope, name)
            if endpoint["EndpointStatus"] != "InService":
                raise invalid(
                    f'Cannot update endpoint "{endpoint["EndpointArn"]}" in status '
                    f"{endpoint['EndpointStatus']}."
                )
            self._set(scope, name, EndpointStatus="Updating", FailureReason=None)

    def _get(self, scope: Scope, name: str) -> Document:
        missing = f'Could not find endpoint "{scope.arn(KIND, name)}".'
        return self._store.get(scope, KIND, name, missing)

    def _set(self, scope: Scope, name: str, **fields: object) -> None:
        self._store.change(scope, KIND, name, **fields, LastModifiedTime=now())

    def _plan(self, scope: Scope, config: Document) -> Document:
        variants, shadows = config["ProductionVariants"], config.get("ShadowProductionVariants", [])
        models = {
            v["ModelName"]: find_model(self._store, scope, v["ModelName"])
            for v in (*variants, *shadows)
        }
        for model in models.values():
            if not model.get("ExecutionRoleArn"):
                raise invalid(f"Model {model['ModelName']} has no ExecutionRoleArn.")
        return {
            "Variants": variants,
            "Shadows": shadows,
            "Models": models,
            "Capture": config.get("DataCaptureConfig"),
        }


def _alarm_exists(name: str) -> bool:
    return alarms.state_of(name) is not None


def _retained(call: Call, endpoint: Document) -> Document:
    """Return what of the variants' capacities survives an update."""
    if not call.parameters.get("RetainAllVariantProperties"):
        return {}
    excluded = call.parameters.get("ExcludeRetainedVariantProperties", [])
    without = {each["VariantPropertyType"] for each in excluded}
    return {
        name: {key: value for key, value in given.items() if key not in without}
        for name, given in endpoint.get("Capacity", {}).items()
    }
