"""SageMaker as a service of the embedded AWS: its operations and what each may touch."""

from __future__ import annotations

from localcloud.jobs.machine import this_machine
from localcloud.registry import Operation, Service
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
    host = this_machine()
    store = Store(host.folder("sagemaker"))
    tags = Tags(store)
    training = TrainingJobs(host, store, tags)
    processing = ProcessingJobs(host, store, tags)
    endpoints = Endpoints(host, store, tags)
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
    }

    def start() -> None:
        keep_content_type_of_models()
        host.pids.end_all()
        for part in (training, processing, endpoints):
            part.recover()

    def stop() -> None:
        endpoints.abandon()
        host.pids.end_all()

    return Service(
        signing_name="sagemaker",
        models=("sagemaker", "sagemaker-runtime"),
        operations={
            **{name: presenting(name, run) for name, run in operations.items()},
            "InvokeEndpoint": Runtime(endpoints).invoke,
        },
        permissions=permissions,
        start=start,
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
