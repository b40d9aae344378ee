"""The serving container's work: load the model, prove it, answer HTTP until told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from pipeline_code.inference.application import Application
from pipeline_code.inference.ensemble import ArtefactError
from pipeline_code.inference.golden_check import load_golden_check
from pipeline_code.inference.predictor import load_predictor
from pipeline_code.job_folders import JobFolders

PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
HOST_VARIABLE = "SAGEMAKER_BIND_TO_HOST"
MODEL_VERSION_VARIABLE = "MODEL_VERSION"
BACKLOG = 1024

logger = logging.getLogger(__name__)


def load_application(folder: Path, environment: Mapping[str, str]) -> Application:
    """Load the artefact in ``folder`` and ask it all its golden requests before anyone else may."""
    predictor = load_predictor(folder)
    golden = load_golden_check(predictor, folder)
    failure = golden.every_failure()
    if failure:
        raise ArtefactError(f"the model does not reproduce its golden answers: {failure}")
    version = environment.get(MODEL_VERSION_VARIABLE) or predictor.ensemble.digest
    logger.info("model %s answers its golden requests", version)
    return Application(predictor, golden, version)


async def serve(application: Application, host: str, port: int) -> None:
    """Answer requests until SIGTERM or SIGINT; what has begun is finished."""
    server = Server(
        application.__rsgi__,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        log_level=LogLevels.warning,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


def main() -> int:
    """Serve the model under ``/opt/ml/model``."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    environment = os.environ
    application = load_application(JobFolders.of_environment(environment).model, environment)
    host = environment.get(HOST_VARIABLE, "0.0.0.0")  # noqa: S104 - a container serves its network
    port = int(environment.get(PORT_VARIABLE, "8080"))
    asyncio.run(serve(application, host, port))
    logger.info("stopped")
    return 0
