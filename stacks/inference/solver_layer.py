"""HiGHS as a layer: its one shared library, for the platform that the functions run on."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.config.model import FunctionPlatform
from stacks.inference.solver_wheel import SolverUnavailableError, fetched

_LIBRARY = Path("highs_dist", "lib")


class SolverLayer(lambda_.LayerVersion):
    """What of the package highsbox is needed to solve: 6 MB of 60."""

    def __init__(self, scope: Construct, construct_id: str, *, platform: FunctionPlatform) -> None:
        package = _installed() if platform == "host" else fetched(platform)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "python" / "highsbox"
            (target / _LIBRARY).mkdir(parents=True)
            (target / "__init__.py").write_text('"""HiGHS\'s shared library."""\n')
            for library in sorted((package / _LIBRARY).glob("libhighs.*")):
                # Stored without symbolic links, and with one mode: its digest is its content's.
                shutil.copyfile(library, target / _LIBRARY / library.name)
            super().__init__(
                scope,
                construct_id,
                code=lambda_.Code.from_asset(folder),
                description="HiGHS, the solver of decisions",
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            )


def _installed() -> Path:
    """Give the package of the environment that synthesises."""
    found = importlib.util.find_spec("highsbox")
    if found is None or found.origin is None:
        raise SolverUnavailableError("highsbox is not installed. Run: make setup")
    return Path(found.origin).parent
