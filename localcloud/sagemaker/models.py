"""Models and endpoint configurations: documents that endpoints are built from."""

from __future__ import annotations

from typing import Any

from localcloud.jobs.host import Host
from localcloud.registry import Call
from localcloud.sagemaker.capture import check_capture
from localcloud.sagemaker.errors import invalid, unsupported
from localcloud.sagemaker.layout import Network
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.model_packages import container_of
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.shadow import check_shadows
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags

MODEL = "model"
CONFIG = "endpoint-config"


class Models:
    """Creates, describes, lists and deletes models."""

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        self._host = host
        self._store = store
        self._tags = tags

    def create(self, call: Call) -> Document:
        """Create a model."""
        request = dict(call.parameters)
        containers = request.get("Containers", [])
        if bool(containers) == ("PrimaryContainer" in request):
            raise invalid("Either PrimaryContainer or Containers must be given.")
        if request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct":
            raise unsupported("InferenceExecutionConfig.Mode Direct: containers run in turn")
        scope, name = Scope.of(call), request["ModelName"]
        for member in ("PrimaryContainer", "Containers"):
            if member in request:
                request[member] = self._resolved(scope, request[member])
        Network.of(request).check(self._host)
        arn = scope.arn(MODEL, name)
        tags = request.pop("Tags", [])
        document = {"EnableNetworkIsolation": False, **request, "ModelArn": arn}
        if not self._store.add(scope, MODEL, name, {**document, "CreationTime": now()}):
            raise invalid(f'Cannot create already existing model "{arn}".')
        self._tags.set(scope, arn, tags)
        return {"ModelArn": arn}

    def _resolved(self, scope: Scope, given: Any) -> Any:
        """Return one or several containers with what the packages that they name are made of."""
        if isinstance(given, list):
            return [self._resolved(scope, each) for each in given]
        container = container_of(self._store, scope, given)
        if not container.get("Image"):
            raise unsupported("a model without a container image")
        return container

    def describe(self, call: Call) -> Document:
        """Describe a model."""
        return find_model(self._store, Scope.of(call), call.parameters["ModelName"])

    def list(self, call: Call) -> Document:
        """List models."""
        found, token = page(
            self._store.all(Scope.of(call), MODEL),
            call.parameters,
            name="ModelName",
            status="ModelName",
            fields=("ModelName", "ModelArn", "CreationTime"),
        )
        return {"Models": found, **({"NextToken": token} if token else {})}

    def delete(self, call: Call) -> Document:
        """Delete a model; endpoints that run it keep running."""
        scope, name = Scope.of(call), call.parameters["ModelName"]
        arn = find_model(self._store, scope, name)["ModelArn"]
        self._store.remove(scope, MODEL, name)
        self._tags.forget(scope, arn)
        return {}


class EndpointConfigs:
    """Creates, describes, lists and deletes endpoint configurations."""

    def __init__(self, store: Store, tags: Tags) -> None:
        self._store = store
        self._tags = tags

    def create(self, call: Call) -> Document:
        """Create an endpoint configuration."""
        request = dict(call.parameters)
        scope, name = Scope.of(call), request["EndpointConfigName"]
        for variant in (
            *request["ProductionVariants"],
            *request.get("ShadowProductionVariants", []),
        ):
            _check_variant(self._store, scope, variant)
        check_shadows(request, lambda model: find_model(self._store, scope, model))
        check_capture(request)
        for feature in ("AsyncInferenceConfig",):
            if request.get(feature):
                raise unsupported(feature)
        arn = scope.arn(CONFIG, name)
        tags = request.pop("Tags", [])
        document = {**request, "EndpointConfigArn": arn, "CreationTime": now()}
        if not self._store.add(scope, CONFIG, name, document):
            raise invalid(f'Cannot create already existing endpoint configuration "{arn}".')
        self._tags.set(scope, arn, tags)
        return {"EndpointConfigArn": arn}

    def describe(self, call: Call) -> Document:
        """Describe an endpoint configuration."""
        return find_config(self._store, Scope.of(call), call.parameters["EndpointConfigName"])

    def list(self, call: Call) -> Document:
        """List endpoint configurations."""
        found, token = page(
            self._store.all(Scope.of(call), CONFIG),
            call.parameters,
            name="EndpointConfigName",
            status="EndpointConfigName",
            fields=("EndpointConfigName", "EndpointConfigArn", "CreationTime"),
        )
        return {"EndpointConfigs": found, **({"NextToken": token} if token else {})}

    def delete(self, call: Call) -> Document:
        """Delete an endpoint configuration."""
        scope, name = Scope.of(call), call.parameters["EndpointConfigName"]
        arn = find_config(self._store, scope, name)["EndpointConfigArn"]
        self._store.remove(scope, CONFIG, name)
        self._tags.forget(scope, arn)
        return {}


def find_model(store: Store, scope: Scope, name: str) -> Document:
    """Find a model or refuse."""
    return store.get(scope, MODEL, name, f'Could not find model "{scope.arn(MODEL, name)}".')


def find_config(store: Store, scope: Scope, name: str) -> Document:
    """Find an endpoint configuration or refuse."""
    arn = scope.arn(CONFIG, name)
    return store.get(scope, CONFIG, name, f'Could not find endpoint configuration "{arn}".')


def _check_variant(store: Store, scope: Scope, variant: Document) -> None:
    if not variant.get("ModelName"):
        raise unsupported("a production variant without a model")
    find_model(store, scope, variant["ModelName"])
    if variant.get("ServerlessConfig", {}).get("ProvisionedConcurrency"):
        raise unsupported("ProvisionedConcurrency of a serverless variant")
    if not variant.get("ServerlessConfig") and not variant.get("InstanceType"):
        raise invalid(
            f"Production variant {variant['VariantName']} needs InstanceType or ServerlessConfig."
        )
