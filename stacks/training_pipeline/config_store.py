"""The config store's door: a document that arrives is checked, and trained with or refused."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from lambdas.training_pipeline.contract import TRAINING_CONFIG_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_put_events
from stacks.common.trigger import MAX_EVENT_AGE, RETRY_ATTEMPTS, UndeliveredEvents
from stacks.common.yaml_layer import YamlLayer
from stacks.foundation.step_props import StepProps
from stacks.training_pipeline.ensemble_config import EnsembleConfig


class ConfigStore(Construct):
    """`training/<use case>/*.yaml` of the config bucket."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        use_case: str,
        props: StepProps,
        ensemble: EnsembleConfig,
    ) -> None:
        super().__init__(scope, construct_id)
        check = ConfigCheck(self, "Check", props=props, ensemble=ensemble)
        prefix = f"{TRAINING_CONFIG_PREFIX}{use_case}/"
        events.Rule(
            self,
            "Rule",
            description="A training configuration arrived",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [props.buckets.config.bucket_name]},
                    "object": {"key": [{"wildcard": f"{prefix}*.yaml"}]},
                },
            ),
            targets=[
                targets.LambdaFunction(
                    check.function,
                    dead_letter_queue=UndeliveredEvents(self, "Undelivered"),
                    max_event_age=MAX_EVENT_AGE,
                    retry_attempts=RETRY_ATTEMPTS,
                )
            ],
        )


class ConfigCheck(BlockFunction):
    """Accepts a document and asks for its training, or refuses it by its field's name."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: StepProps, ensemble: EnsembleConfig
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="check_config",
            settings=props.settings,
            log_days=props.log_days,
        )
        self.function.add_layers(YamlLayer(self, "Yaml"))
        ensemble.grant_read(self.role)
        props.buckets.config.allow_read(self.role, TRAINING_CONFIG_PREFIX)
        props.buckets.config.allow_write(self.role, TRAINING_CONFIG_PREFIX)
        grant_items(props.tables.models, self.role, "PutItem")
        grant_append(props.tables.ledger, self.role)
        grant_put_events(self, self.role)
