"""The role of training, preparation and evaluation jobs."""

from __future__ import annotations

from constructs import Construct

from lambdas.training_pipeline.contract import (
    EVALUATIONS_PREFIX,
    MODELS_PREFIX,
    PRETRAINED_PREFIX,
    TRAINING_CONFIG_PREFIX,
    TRAININGS_PREFIX,
)
from pipeline_code.data_pipeline.contract import DATASETS_PREFIX
from stacks.common.image import ModelImage
from stacks.common.sagemaker_role import SageMakerRole
from stacks.foundation.buckets import Buckets
from stacks.training_pipeline.algorithm_images import AlgorithmImages


class TrainingJobRole(SageMakerRole):
    """Reads datasets and configurations, reads and writes models; jobs have no network."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: ModelImage,
        images: AlgorithmImages,
        buckets: Buckets,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            image=image,
            log_groups=("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"),
        )
        images.grant_pull(self)
        buckets.model_input.allow_read(self, DATASETS_PREFIX)
        buckets.config.allow_read(self, TRAINING_CONFIG_PREFIX)
        for prefix in (TRAININGS_PREFIX, MODELS_PREFIX, PRETRAINED_PREFIX):
            buckets.models.allow_read(self, prefix)
        for prefix in (TRAININGS_PREFIX, EVALUATIONS_PREFIX):
            buckets.models.allow_write(self, prefix)
