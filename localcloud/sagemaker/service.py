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
from localcloud.sagemaker.job_operations import Jobs
from localcloud.sagemaker.model_package_groups import ModelPackageGroups
from localcloud.sagemaker.model_packages import ModelPackages
from localcloud.sagemaker.models import EndpointConfigs, Models
from localcloud.sagemaker.permissions import permissions
from localcloud.sagemaker.presentation import presenting
from localcloud.sagemaker.processing import ProcessingJobs
from localcloud.sagemaker.resource_types import RESOURCE_TYPES
from localcloud.sagemaker.runtime import Runtime
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags
from localcloud.sagemaker.training import TrainingJobs
from localcloud.sagemaker.transform import TransformJobs
from localcloud.sagemaker.tuning.jobs import TuningJobs


def service() -> Service:
    """Offer SageMaker's control plane and runtime."""
    host = with_images_of_aws(this_machine())
    store = Store(host.folder("sagemaker"))
    tags = Tags(store)
    training = TrainingJobs(host, store, tags)
    processing = ProcessingJobs(host, store, tags)
    transform = TransformJobs(host, store, tags)
    tuning = TuningJobs(host, store, tags, training)
    endpoints = Endpoints(host, store, tags)
    groups = ModelPackageGroups(store, tags)
    packages = ModelPackages(host, store, tags)
    features = featurestore.FeatureStore(host, store, tags)
    operations = {
        **_job_operations("TrainingJob", training, training.create),
        **_job_operations("ProcessingJob", processing, processing.create),
        **_job_operations("TransformJob", transform, transform.create),
        **_job_operations("HyperParameterTuningJob", tuning, tuning.create),
        "ListTrainingJobsForHyperParameterTuningJob": tuning.training_jobs,
        **_document_operations("ModelPackageGroup", groups),
        "PutModelPackageGroupPolicy": groups.put_policy,
        "GetModelPackageGroupPolicy": groups.get_policy,
        "DeleteModelPackageGroupPolicy": groups.delete_policy,
        **_document_operations("ModelPackage", packages),
        "UpdateModelPackage": packages.update,
        **_document_operations("Model", Models(host, store, tags)),
        **_document_operations("EndpointConfig", EndpointConfigs(store, tags)),
        **_document_operations("Endpoint", endpoints),
        "UpdateEndpoint": endpoints.update,
        "UpdateEndpointWeightsAndCapacities": endpoints.update_weights_and_capacities,
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
        for part in (training, processing, transform, tuning, endpoints):
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
        resource_types={**feature_group_type(), **RESOURCE_TYPES},
        start=start,
        drain=features.drain,
        stop=stop,
    )


def _job_operations(name: str, jobs: Jobs, create: Operation) -> dict[str, Operation]:
    return {
        f"Create{name}": create,
        f"Describe{name}": jobs.describe,
        f"List{name}s": jobs.list,
        f"Stop{name}": jobs.stop,
    }


def _document_operations(
    name: str,
    documents: Models | EndpointConfigs | Endpoints | ModelPackageGroups | ModelPackages,
) -> dict[str, Operation]:
    return {
        f"Create{name}": documents.create,
        f"Describe{name}": documents.describe,
        f"List{name}s": documents.list,
        f"Delete{name}": documents.delete,
    }
