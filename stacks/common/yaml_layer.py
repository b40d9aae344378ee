"""The YAML parser as a layer: the pure Python part of the PyYAML that synthesises the app."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import yaml
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


class YamlLayer(lambda_.LayerVersion):
    """PyYAML without its compiled part, so that it is the same for every platform and Python."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        package = Path(yaml.__file__).parent
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "python" / "yaml"
            target.mkdir(parents=True)
            for source in sorted(package.glob("*.py")):
                shutil.copyfile(source, target / source.name)
            super().__init__(
                scope,
                construct_id,
                code=lambda_.Code.from_asset(folder),
                description="PyYAML, pure Python",
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            )
