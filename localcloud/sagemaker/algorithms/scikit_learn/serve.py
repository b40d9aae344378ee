"""Serving of the scikit-learn container: the functions of the user's script."""

from __future__ import annotations

from localcloud.sagemaker.algorithms import script_mode
from localcloud.sagemaker.algorithms.container import Container


def main(container: Container) -> None:
    """Serve the model that the script loads."""
    script_mode.serve(container)
