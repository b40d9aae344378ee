"""Where people ask the catalog: an Athena work group, and its saved queries."""

from __future__ import annotations

from aws_cdk import aws_athena as athena
from constructs import Construct

from pipeline_code.data_pipeline.contract import QUERY_RESULTS_PREFIX
from stacks.config.model import DataPipelineSettings
from stacks.data_pipeline.catalog import Catalog
from stacks.data_pipeline.saved_queries import SavedQuery
from stacks.foundation.buckets import Buckets

_BYTES_A_MEGABYTE = 1024 * 1024


class Queries(Construct):
    """A work group that decides where results go, how they are encrypted and what may be read."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        catalog: Catalog,
        buckets: Buckets,
        saved: tuple[SavedQuery, ...],
        settings: DataPipelineSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        encryption = athena.CfnWorkGroup.EncryptionConfigurationProperty(
            encryption_option="SSE_KMS", kms_key=buckets.analytics.key.key_arn
        )
        self.work_group = athena.CfnWorkGroup(
            self,
            "WorkGroup",
            # Clients name the work group in every query, so it must be known beforehand.
            name=name,
            description="Queries over all zones of the use case",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=settings.query_megabytes * _BYTES_A_MEGABYTE,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=buckets.analytics.s3_url_for_object(QUERY_RESULTS_PREFIX),
                    encryption_configuration=encryption,
                ),
            ),
        )
        for query in saved:
            self._save(query, catalog)

    def _save(self, query: SavedQuery, catalog: Catalog) -> None:
        """Save a query; the id is its name, which is literal where it is declared."""
        named = athena.CfnNamedQuery(
            self,
            query.name.replace("_", " ").title().replace(" ", ""),
            name=query.name,
            description=query.description,
            database=catalog.database.ref,
            query_string=query.sql,
            work_group=self.work_group.name,
        )
        named.node.add_dependency(self.work_group)
