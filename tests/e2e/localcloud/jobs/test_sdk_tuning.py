"""Tuning of AWS's own image and the model registry, through the SageMaker SDK, version 3."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from localcloud.sagemaker.algorithms import catalogue
from tests.e2e.localcloud.conftest import bucket_rights

PROGRAM = Path(__file__).with_name("sdk_tuning_program.py")


def test_the_sdk_tunes_aws_own_image_and_registers_the_best_model(cloud, tmp_path):
    bucket, random = cloud.bucket(), np.random.default_rng(5)
    for channel in ("train", "validation"):
        features = random.normal(size=(200, 3))
        labels = (features[:, 0] - features[:, 1] + random.normal(size=200) > 0).astype(int)
        rows = np.column_stack([labels, features]).tolist()
        text = "\n".join(",".join(map(repr, row)) for row in rows)
        cloud.client("s3").put_object(Bucket=bucket, Key=f"{channel}/a.csv", Body=text.encode())
    role = cloud.role("sagemaker.amazonaws.com", *bucket_rights(bucket))
    result = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), role, bucket, str(result)],
        env=cloud.client_variables(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(result.read_text())
    assert (told["status"], told["version"], told["approval"]) == ("Completed", 1, "Approved")
    assert len(told["jobs"]) == 3
    assert 0.6 < told["best"] < 1
    programs = [getattr(catalogue.find(uri), "program", None) for uri in told["uris"]]
    assert programs == [*["xgboost"] * 6, *["linear_learner"] * 3, *["scikit_learn"] * 3]
    assert all(catalogue.image(uri) is not None for uri in told["uris"])
