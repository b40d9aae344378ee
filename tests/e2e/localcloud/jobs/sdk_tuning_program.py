"""Tune AWS's XGBoost, register and approve the best model: with the SageMaker SDK alone."""

import json
import sys
from pathlib import Path

import boto3
from sagemaker.core import image_uris
from sagemaker.core.resources import HyperParameterTuningJob, ModelPackage, ModelPackageGroup
from sagemaker.core.shapes import (
    Channel,
    DataSource,
    HyperParameterAlgorithmSpecification,
    HyperParameterTrainingJobDefinition,
    HyperParameterTuningJobConfig,
    HyperParameterTuningJobObjective,
    IntegerParameterRange,
    OutputDataConfig,
    ParameterRanges,
    ResourceConfig,
    ResourceLimits,
    S3DataSource,
    StoppingCondition,
)

role, bucket, result = sys.argv[1:]
known = [("xgboost", "1.7-1"), ("xgboost", "3.2-0"), ("linear-learner", None), ("sklearn", "1.4-2")]
uris = [
    image_uris.retrieve(name, region, version=version, instance_type="ml.m5.large")
    for name, version in known
    for region in ("us-east-1", "eu-central-1", "ap-south-1")
]
image = image_uris.retrieve("xgboost", "us-east-1", version="3.2-0")


def channel(name: str) -> Channel:
    """Describe one channel of CSV files."""
    source = S3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{bucket}/{name}/")
    data = DataSource(s3_data_source=source)
    return Channel(channel_name=name, content_type="text/csv", data_source=data)


job = HyperParameterTuningJob.create(
    hyper_parameter_tuning_job_name="sdk-tuning",
    hyper_parameter_tuning_job_config=HyperParameterTuningJobConfig(
        strategy="Bayesian",
        hyper_parameter_tuning_job_objective=HyperParameterTuningJobObjective(
            type="Maximize", metric_name="validation:auc"
        ),
        resource_limits=ResourceLimits(max_number_of_training_jobs=3, max_parallel_training_jobs=2),
        parameter_ranges=ParameterRanges(
            integer_parameter_ranges=[
                IntegerParameterRange(name="max_depth", min_value="1", max_value="4")
            ]
        ),
        random_seed=1,
    ),
    training_job_definition=HyperParameterTrainingJobDefinition(
        static_hyper_parameters={
            "objective": "binary:logistic",
            "num_round": "3",
            "nthread": "1",
        },
        algorithm_specification=HyperParameterAlgorithmSpecification(
            training_image=image, training_input_mode="File"
        ),
        role_arn=role,
        input_data_config=[channel("train"), channel("validation")],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/tuned"),
        resource_config=ResourceConfig(
            instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=60),
    ),
)
job.wait(poll=1, timeout=120)
job.refresh()
best = job.best_training_job
names = [each.training_job_name for each in job.get_all_training_jobs()]
uri = f"s3://{bucket}/tuned/{best.training_job_name}/output/model.tar.gz"
group = ModelPackageGroup.create(model_package_group_name="sdk-group")
# ModelPackage.create of this SDK reads a name that AWS does not answer with.
registered = boto3.client("sagemaker").create_model_package(
    ModelPackageGroupName=group.model_package_group_name,
    InferenceSpecification={"Containers": [{"Image": image, "ModelDataUrl": uri}]},
)
package = ModelPackage.get(model_package_name=registered["ModelPackageArn"])
package.wait_for_status("Completed", poll=1, timeout=30)
package.update(model_approval_status="Approved")
package.refresh()
told = {
    "status": job.hyper_parameter_tuning_job_status,
    "best": best.final_hyper_parameter_tuning_job_objective_metric.value,
    "jobs": names,
    "version": package.model_package_version,
    "approval": package.model_approval_status,
    "uris": uris,
}
Path(result).write_text(json.dumps(told))
