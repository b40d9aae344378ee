"""The API's document as a layer, so that functions judge bodies by what the document says."""

from __future__ import annotations

import tempfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas.inference.contract import ApiLayer
from stacks.common.api_document import Document, layer_files


class ApiDocumentLayer(lambda_.LayerVersion):
    """A package with the document as it is served, and the schemas of its bodies."""

    def __init__(self, scope: Construct, construct_id: str, *, document: Document) -> None:
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder) / "python" / ApiLayer.PACKAGE
            package.mkdir(parents=True)
            (package / "__init__.py").write_text('"""The API, described."""\n', encoding="utf-8")
            for name, content in layer_files(document).items():
                (package / name).write_text(content, encoding="utf-8")
            super().__init__(
                scope,
                construct_id,
                code=lambda_.Code.from_asset(folder),
                description="The API's OpenAPI document",
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            )
