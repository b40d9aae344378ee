"""Create, fill, read and delete a feature group with the SageMaker SDK alone."""

import json
import sys
from pathlib import Path

import pandas as pd
from sagemaker.mlops.feature_store import (
    FeatureGroup,
    FractionalFeatureDefinition,
    OfflineStoreConfig,
    OnlineStoreConfig,
    S3StorageConfig,
    StringFeatureDefinition,
    ingest_dataframe,
    list_records,
)

role, bucket, result = sys.argv[1:]
group = FeatureGroup.create(
    feature_group_name="sdk-features",
    record_identifier_feature_name="id",
    event_time_feature_name="at",
    feature_definitions=[
        StringFeatureDefinition("id"),
        StringFeatureDefinition("at"),
        FractionalFeatureDefinition("share"),
    ],
    online_store_config=OnlineStoreConfig(enable_online_store=True),
    offline_store_config=OfflineStoreConfig(
        s3_storage_config=S3StorageConfig(s3_uri=f"s3://{bucket}/features")
    ),
    role_arn=role,
)
group.wait_for_status("Created", poll=1, timeout=60)
rows = pd.DataFrame(
    {
        "id": [str(number) for number in range(60)],
        "at": ["2013-05-01T10:00:00Z"] * 60,
        "share": [number / 7 for number in range(60)],
    }
)
ingest_dataframe("sdk-features", rows, use_batch_write_record=True)
ingest_dataframe("sdk-features", rows.head(2).assign(at="2013-05-01T11:00:00Z"))
answer = group.get_record(record_identifier_value_as_string="1")
record = {each.feature_name: each.value_as_string for each in answer.record}
listed = list_records("sdk-features", max_results=100).record_identifiers
group.delete_record(record_identifier_value_as_string="1", event_time="2013-05-01T12:00:00Z")
left = len(list_records("sdk-features", max_results=100).record_identifiers)
group.delete()
names = [each.feature_group_name for each in FeatureGroup.get_all(name_contains="sdk-features")]
told = {"record": record, "listed": len(listed), "left": left, "groups": names}
Path(result).write_text(json.dumps(told))
