"""Train, deploy, invoke and delete with the SageMaker SDK alone, in a client's environment."""

import json
import sys
from pathlib import Path

from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    Channel,
    ContainerDefinition,
    DataSource,
    OutputDataConfig,
    ProductionVariant,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
)

image, role, bucket, result = sys.argv[1:]
source = S3DataSource(
    s3_data_type="S3Prefix",
    s3_uri=f"s3://{bucket}/numbers/",
    s3_data_distribution_type="FullyReplicated",
)
job = TrainingJob.create(
    training_job_name="sdk",
    role_arn=role,
    algorithm_specification=AlgorithmSpecification(
        training_image=image, training_input_mode="File"
    ),
    input_data_config=[
        Channel(channel_name="train", data_source=DataSource(s3_data_source=source))
    ],
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/out"),
    resource_config=ResourceConfig(
        instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1
    ),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=60),
)
job.wait(poll=1, timeout=60)
job.refresh()
model = Model.create(
    model_name="sdk",
    execution_role_arn=role,
    primary_container=ContainerDefinition(
        image=image, model_data_url=job.model_artifacts.s3_model_artifacts
    ),
)
config = EndpointConfig.create(
    endpoint_config_name="sdk",
    production_variants=[
        ProductionVariant(
            variant_name="all",
            model_name="sdk",
            instance_type="ml.m5.large",
            initial_instance_count=1,
        )
    ],
)
endpoint = Endpoint.create(endpoint_name="sdk", endpoint_config_name="sdk")
endpoint.wait_for_status("InService", poll=1, timeout=60)
answer = endpoint.invoke(body=b"[1]", content_type="application/json")
told = json.loads(answer.body.read())
names = [each.training_job_name for each in TrainingJob.get_all(name_contains="sdk")]
endpoint.delete()
endpoint.wait_for_delete(poll=1, timeout=60)
config.delete()
model.delete()
status = job.training_job_status
Path(result).write_text(json.dumps({"status": status, "constant": told["constant"], "jobs": names}))
