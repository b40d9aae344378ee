"""What the build pipeline may do with the API, to prove that what it deployed answers."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from lambdas.inference.contract import PREDICTIONS_PATH
from pipeline_code.data_pipeline.contract import DATASETS_PREFIX
from stacks.common.grants import grant_items, grant_on
from stacks.common.release_role import ReleaseRole
from stacks.common.signed_api import STAGE
from stacks.config.model import EnvironmentConfig
from stacks.foundation.buckets import Buckets
from stacks.foundation.tables import Tables


class ReleaseAccess(Construct):
    """Asks for predictions of held-out entities, and reads which model should have answered."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        api: apigateway.RestApi,
        buckets: Buckets,
        tables: Tables,
    ) -> None:
        super().__init__(scope, construct_id)
        role = ReleaseRole(
            self,
            "Role",
            name=config.release_role_name("inference"),
            stage_name=config.stage_name,
            pipeline_account=config.pipeline_account,
        )
        predictions = api.arn_for_execute_api("POST", PREDICTIONS_PATH, STAGE)
        grant_on(role, "execute-api:Invoke", resources=[predictions])
        for table in (tables.metadata, tables.models):
            grant_items(table, role, "GetItem")
        buckets.model_input.allow_read(role, DATASETS_PREFIX)
