"""Training of the scikit-learn container: the user's script."""

from __future__ import annotations

from importlib.metadata import version

from localcloud.sagemaker.algorithms import script_mode
from localcloud.sagemaker.algorithms.container import Container, say


def main(container: Container) -> None:
    """Run the script."""
    say(f"scikit-learn {version('scikit-learn')}")
    script_mode.train(container, framework="sagemaker_sklearn_container.training:main")
