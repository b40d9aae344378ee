"""Feature Store as a part of SageMaker, whose signing name it shares."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3

from localcloud.featurestore import online_store
from localcloud.featurestore.database import Database
from localcloud.featurestore.groups import FeatureGroups
from localcloud.featurestore.offline_store import OfflineStore
from localcloud.featurestore.runtime import Records, worded
from localcloud.jobs.host import Host, client
from localcloud.registry import Operation
from localcloud.sagemaker.layout import PRINCIPAL
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags

MODEL = "sagemaker-featurestore-runtime"
_SESSION = "SageMaker-FeatureStore"


class FeatureStore:
    """Feature groups and their records."""

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        def objects(role: str) -> Any:
            return client("s3", host.role_environment(role, PRINCIPAL, _SESSION))

        self._database = Database(host.folder("featurestore") / "records.sqlite")
        self._offline = OfflineStore(self._database, store, objects)
        self._groups = FeatureGroups(
            store,
            tags,
            self._database,
            offline=self._offline,
            objects=objects,
            service=_own_client,
        )
        self._records = Records(store, self._database, self._offline)

    def control_plane(self) -> Mapping[str, Operation]:
        """Offer the operations on feature groups."""
        return {
            "CreateFeatureGroup": self._groups.create,
            "DescribeFeatureGroup": self._groups.describe,
            "DescribeFeatureMetadata": self._groups.describe_feature,
            "ListFeatureGroups": self._groups.list,
            "UpdateFeatureGroup": self._groups.update,
            "DeleteFeatureGroup": self._groups.delete,
        }

    def runtime(self) -> Mapping[str, Operation]:
        """Offer the operations on records."""
        operations = {
            "PutRecord": self._records.put,
            "BatchWriteRecord": self._records.batch_write,
            "GetRecord": self._records.get,
            "BatchGetRecord": self._records.batch_get,
            "ListRecords": self._records.list,
            "DeleteRecord": self._records.delete,
        }
        return {name: worded(run) for name, run in operations.items()}

    def start(self) -> None:
        """Forget what expired while nothing ran; begin to write the offline store."""
        with self._database.transaction() as rows:
            online_store.expire(rows)
        self._offline.start()

    def drain(self) -> None:
        """Write what waits for the offline store."""
        self._offline.finish()


def _own_client(service: str) -> Any:
    return boto3.Session().client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
