"""The images of AWS's own algorithms are those that the `sagemaker` SDK resolves."""

from __future__ import annotations

import json
import subprocess
import sys

from stacks.config.algorithm_images import REGISTRIES, image_uri

RESOLVE = """
import json, sys
from sagemaker.core import image_uris
asked = {"xgboost": "1.7-1", "linear-learner": None, "sklearn": "1.2-1"}
print(json.dumps({
    region: {name: image_uris.retrieve(name, region, version=version)
             for name, version in asked.items()}
    for region in sys.argv[1:]
}))
"""


def test_every_regions_images_are_what_the_sdk_resolves():
    done = subprocess.run(
        [sys.executable, "-c", RESOLVE, *REGISTRIES],
        capture_output=True,
        text=True,
        check=True,
    )
    resolved = json.loads(done.stdout.splitlines()[-1])
    assert resolved == {
        region: {name: image_uri(name, region) for name in ("xgboost", "linear-learner", "sklearn")}
        for region in REGISTRIES
    }
