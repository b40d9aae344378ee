"""Feature Store through the SageMaker SDK for Python, version 3."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.localcloud.conftest import bucket_rights

PROGRAM = Path(__file__).with_name("sdk_features.py")


def test_the_sdk_creates_fills_reads_and_deletes_a_feature_group(cloud, tmp_path):
    bucket = cloud.bucket()
    rights = bucket_rights(bucket)
    rights[0]["Action"] = ["s3:ListBucket", "s3:GetBucketAcl"]
    role = cloud.role("sagemaker.amazonaws.com", *rights)
    result = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), role, bucket, str(result)],
        env=cloud.client_variables(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(result.read_text()) == {
        "record": {"id": "1", "at": "2013-05-01T11:00:00Z", "share": str(1 / 7)},
        "listed": 60,
        "left": 59,
        "groups": [],
    }
