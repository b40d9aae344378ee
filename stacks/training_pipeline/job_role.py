"""The role of training and evaluation jobs."""

from __future__ import annotations

from constructs import Construct

from lambdas.training_pipeline.contract import (
    EVALUATIONS_PREFIX,
    MODELS_PREFIX,
    TRAININGS_PREFIX,
)
from pipeline_code.data_pipeline.contract import DATASETS_PREFIX
from stacks.common.image import ModelImage
from stacks.common.sagemaker_role import SageMakerRole
from stacks.foundation.buckets import Buckets


class TrainingJobRole(SageMakerRole):
    """Reads dataset versions, reads and writes models; jobs have no network of their own."""

    def __init__(
        self, scope: Construct, construct_id: str, *, image: ModelImage, buckets: Buckets
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            image=image,
            log_groups=("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"),
        )
        buckets.model_input.allow_read(self, DATASETS_PREFIX)
        for prefix in (TRAININGS_PREFIX, MODELS_PREFIX):
            buckets.models.allow_read(self, prefix)
        for prefix in (TRAININGS_PREFIX, EVALUATIONS_PREFIX):
            buckets.models.allow_write(self, prefix)
