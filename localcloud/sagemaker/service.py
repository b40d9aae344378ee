"""SageMaker as a service of the embedded AWS: its operations and what each may touch."""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.featurestore import store as featurestore
from localcloud.featurestore.permissions import permissions as featurestore_permissions
from localcloud.featurestore.resource_type import feature_group_type
from localcloud.jobs.machine import this_machine
from localcloud.registry import Call, Operation, Permission, Service
from localcloud.sagemaker.container_images import with_images_of_aws
from localcloud.sagemaker.content_type import keep_content_type_of_models
from localcloud.sagemaker.endpoints import Endpoints
from localcloud.sagemaker.models import EndpointConfigs, Models
from localcloud.sagemaker.permissions import permissions
from localcloud.sagemaker.presentation import presenting
from localcloud.sagemaker.processing import ProcessingJobs
from localcloud.sagemaker.runtime import Runtime
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags
from localcloud.sagemaker.training import TrainingJobs


def service() -> Service:
    """Offer SageMaker's control plane and runtime."""
    host = with_images_of_aws(this_machine())
    store = Store(host.folder("sagemaker"))
    tags = Tags(store)
    training = TrainingJobs(host, store, tags)
    processing = ProcessingJobs(host, store, tags)
    endpoints = Endpoints(host, store, tags)
    features = featurestore.FeatureStore(host, store, tags)
    operations = {
        **_job_operations("TrainingJob", training),
        **_job_operations("ProcessingJob", processing),
        **_document_operations("Model", Models(host, store, tags)),
        **_document_operations("EndpointConfig", EndpointConfigs(store, tags)),
        **_document_operations("Endpoint", endpoints),
        "UpdateEndpoint": endpoints.update,
        "AddTags": tags.add,
        "ListTags": tags.list,
        "DeleteTags": tags.delete,
        **features.control_plane(),
    }
    of_features = {*features.control_plane(), *features.runtime()}

    def allowed(call: Call) -> Sequence[Permission]:
        ours = call.operation in of_features
        return featurestore_permissions(call) if ours else permissions(call)

    def start() -> None:
        keep_content_type_of_models()
        host.pids.end_all()
        for part in (training, processing, endpoints):
            part.recover()
        features.start()

    def stop() -> None:
        endpoints.abandon()
        host.pids.end_all()

    return Service(
        signing_name="sagemaker",
        models=("sagemaker", "sagemaker-runtime", featurestore.MODEL),
        operations={
            **{name: presenting(name, run) for name, run in operations.items()},
            "InvokeEndpoint": Runtime(endpoints).invoke,
            **features.runtime(),
        },
        permissions=allowed,
        resource_types=feature_group_type(),
        start=start,
        drain=features.drain,
        stop=stop,
    )


def _job_operations(name: str, jobs: TrainingJobs | ProcessingJobs) -> dict[str, Operation]:
    return {
        f"Create{name}": jobs.create,
        f"Describe{name}": jobs.describe,
        f"List{name}s": jobs.list,
        f"Stop{name}": jobs.stop,
    }


def _document_operations(
    name: str, documents: Models | EndpointConfigs | Endpoints
) -> dict[str, Operation]:
    return {
        f"Create{name}": documents.create,
        f"Describe{name}": documents.describe,
        f"List{name}s": documents.list,
        f"Delete{name}": documents.delete,
    }
