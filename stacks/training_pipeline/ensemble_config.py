"""The use case's ensemble, published with the stack so that a function can read it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from pipeline_code.training_pipeline.config_document import ensemble_config_of
from stacks.common.assets import REPOSITORY, grant_asset


class EnsembleConfig(Construct):
    """`members.yaml` as JSON, checked: most functions carry no YAML parser."""

    def __init__(self, scope: Construct, construct_id: str, *, use_case: str) -> None:
        super().__init__(scope, construct_id)
        source = REPOSITORY / "use_cases" / use_case / "members.yaml"
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
        ensemble_config_of(content, str(source.relative_to(REPOSITORY)))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "members.json"
            path.write_text(json.dumps(content, sort_keys=True, default=str), encoding="utf-8")
            self._asset = assets.Asset(self, "Members", path=str(path))
        self.uri = self._asset.s3_object_url

    def grant_read(self, grantee: iam.Role) -> None:
        """Allow to read the published file."""
        grant_asset(grantee, self._asset)
