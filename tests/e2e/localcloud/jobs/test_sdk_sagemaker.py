"""SageMaker through its own SDK for Python, version 3."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.localcloud.conftest import bucket_rights

PROGRAM = Path(__file__).with_name("sdk_program.py")


def test_the_sdk_trains_deploys_invokes_and_deletes(cloud, tmp_path):
    bucket = cloud.bucket()
    cloud.client("s3").put_object(Bucket=bucket, Key="numbers/a.csv", Body=b"4 6")
    role = cloud.role("sagemaker.amazonaws.com", *bucket_rights(bucket))
    result = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), cloud.image, role, bucket, str(result)],
        env=cloud.client_variables(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(result.read_text())
    assert told == {"status": "Completed", "constant": 5, "jobs": ["sdk"]}
