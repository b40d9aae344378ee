"""The images of AWS's own registries that run here, by the name of their repository.

Each region has its own account for each image; the name is the same everywhere, and so is the
answer. An image that was pushed under such a name to the embedded AWS itself comes first.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from localcloud.images import Image, Reference
from localcloud.registry import ServiceError
from localcloud.sagemaker.scope import Document

PACKAGE = Path(__file__).parent
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
_XGBOOST_METRICS = (
    *("accuracy", "auc", "aucpr", "error", "logloss", "mae", "map", "mape", "merror", "mlogloss"),
    *("mphe", "ndcg", "poisson-nloglik", "gamma-nloglik", "rmse", "rmsle", "tweedie-nloglik"),
)
_LINEAR_LOSSES = ("mse", "rmse", "mae", "absolute_loss")
_LINEAR_SCORES = (
    *("binary_classification_accuracy", "binary_f_beta", "precision", "recall", "roc_auc_score"),
    *("multiclass_accuracy", "r2"),
)


@dataclass(frozen=True)
class Algorithm:
    """One repository."""

    program: str  #: the package that plays it
    packages: Sequence[str]  #: what it runs on
    tag: str  #: the pattern of its tags
    first_party: bool = True  #: has its own metric definitions, refuses anybody else's
    metrics: Sequence[tuple[str, str]] = ()


def _xgboost_metrics() -> list[tuple[str, str]]:
    return [
        (f"{channel}:{metric}", rf".*\[[0-9]+\].*#011{channel}-{metric}:{_NUMBER}.*")
        for channel in ("train", "validation")
        for metric in _XGBOOST_METRICS
    ]


def _linear_metrics() -> list[tuple[str, str]]:
    found = [
        (
            f"{name}:objective_loss",
            rf"#quality_metric: host=\S+, epoch=\S+, {name} \S+_objective <loss>=(\S+)",
        )
        for name in ("train", "validation")
    ]
    for name in ("train", "validation", "test"):
        for word, metrics in (("loss", _LINEAR_LOSSES), ("score", _LINEAR_SCORES)):
            found += [
                (f"{name}:{metric}", rf"#quality_metric: host=\S+, {name} {metric} <{word}>=(\S+)")
                for metric in metrics
            ]
    return found


ALGORITHMS = {
    "sagemaker-xgboost": Algorithm(
        "xgboost", ("xgboost-cpu", "numpy"), r"\d+\.\d+-\d+(-cpu-py3)?", metrics=_xgboost_metrics()
    ),
    "linear-learner": Algorithm(
        "linear_learner", ("numpy",), r"1|latest", metrics=_linear_metrics()
    ),
    "sagemaker-scikit-learn": Algorithm(
        "scikit_learn", ("scikit-learn", "numpy"), r"[\d.]+-\d+(-cpu-py3\d*|-py\d+)?", False
    ),
}


def find(image_uri: str) -> Algorithm | None:
    """Find the algorithm that an image's name stands for."""
    return ALGORITHMS.get(Reference.parse(image_uri).repository)


def metric_definitions(image_uri: str) -> list[Document]:
    """List the metrics that an image of AWS's is known to print."""
    algorithm = find(image_uri)
    metrics = algorithm.metrics if algorithm else ()
    return [{"Name": name, "Regex": expression} for name, expression in metrics]


def image(image_uri: str) -> Image | None:
    """Return the image that plays one of AWS's; None for any other name."""
    algorithm = find(image_uri)
    if algorithm is None:
        return None
    reference = Reference.parse(image_uri)
    if re.fullmatch(algorithm.tag, reference.version) is None:
        raise ServiceError(
            "ValidationException",
            f"Requested image {image_uri} not found: {reference.repository} has no tag "
            f"{reference.version} that the embedded AWS could run; it runs CPU images only",
        )
    return Image(
        rootfs=PACKAGE,
        digest=_digest(algorithm),
        entrypoint=(sys.executable, "-P", "-m", __package__, algorithm.program),
        env={"PYTHONPATH": str(PACKAGE.parents[2]), "PYTHONHASHSEED": "0"},
        workdir=PACKAGE,
    )


def _digest(algorithm: Algorithm) -> str:
    """Name what really runs: our program and the libraries below it."""
    content = hashlib.sha256()
    for package in algorithm.packages:
        content.update(f"{package}=={version(package)}\n".encode())
    for file in sorted((PACKAGE / algorithm.program).glob("*.py")):
        content.update(file.read_bytes())
    return f"sha256:{content.hexdigest()}"
