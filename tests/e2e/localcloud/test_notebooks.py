"""The notebooks run from the first cell to the last, against the embedded AWS."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
CELL_SECONDS = 180


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def executed(cloud) -> nbformat.NotebookNode:
    notebook = read(ROOT / "docs" / "notebooks" / "lets_start_simple.ipynb")
    variables = {**os.environ, **cloud.client_variables(), "PYTHONPATH": str(ROOT)}
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3")
    return client.execute(env=variables, cwd=str(ROOT))


def shown(notebook: nbformat.NotebookNode, source: str) -> str:
    """Give the value that the cell with a line of source ended with."""
    (cell,) = (cell for cell in notebook.cells if source in cell.source)
    return next(o.data["text/plain"] for o in cell.outputs if o.output_type == "execute_result")


def test_the_proof_of_concept_trains_deploys_and_answers(executed):
    assert 0.6 < float(shown(executed, "round(float(auc), 3)")) < 0.8
    trained = shown(executed, "TrainingJob.create(")
    assert "validation:auc" in trained


def test_the_proof_of_concept_leaves_nothing_behind(executed, cloud):
    sagemaker = cloud.client("sagemaker")
    assert sagemaker.list_endpoints(NameContains="lets-start-simple")["Endpoints"] == []
    assert sagemaker.list_models(NameContains="lets-start-simple")["Models"] == []
    buckets = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    assert not any("lets-start-simple" in name for name in buckets)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_printed(path: Path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
