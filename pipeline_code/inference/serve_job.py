"""The serving container's work: load the model, prove it, answer HTTP until told to stop."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline_code.inference.application import ModelApplication
from pipeline_code.inference.contract import ALL_STEPS, PIPELINE_STEPS, STEP_VARIABLE
from pipeline_code.inference.ensemble import ArtefactError
from pipeline_code.inference.golden_check import load_golden_check
from pipeline_code.inference.http_server import Limits
from pipeline_code.inference.predictor import load_predictor
from pipeline_code.inference.processes import listen, serve_in_processes
from pipeline_code.job_folders import JobFolders

PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
HOST_VARIABLE = "SAGEMAKER_BIND_TO_HOST"
WORKERS_VARIABLE = "SAGEMAKER_MODEL_SERVER_WORKERS"
MODEL_VERSION_VARIABLE = "MODEL_VERSION"

logger = logging.getLogger(__name__)


class ServingSettingError(ValueError):
    """An environment variable of the container is wrong."""


def load_application(folder: Path, environment: Mapping[str, str]) -> ModelApplication:
    """Load the artefact in ``folder`` and ask it all its golden requests before anyone else may."""
    predictor = load_predictor(folder)
    golden = load_golden_check(predictor, folder)
    failure = golden.every_failure()
    if failure:
        raise ArtefactError(f"the model does not reproduce its golden answers: {failure}")
    version = environment.get(MODEL_VERSION_VARIABLE) or predictor.ensemble.digest
    logger.info("model %s answers its golden requests", version)
    return ModelApplication(predictor, golden, version, _step_of(environment))


def _step_of(environment: Mapping[str, str]) -> str:
    step = environment.get(STEP_VARIABLE) or ALL_STEPS
    if step not in (*PIPELINE_STEPS, ALL_STEPS):
        allowed = ", ".join((*PIPELINE_STEPS, ALL_STEPS))
        raise ServingSettingError(f"{STEP_VARIABLE} is {step!r}, must be one of {allowed}")
    return step


def processes_of(environment: Mapping[str, str]) -> int:
    """Tell how many processes serve: as many as asked for, else one a core."""
    text = environment.get(WORKERS_VARIABLE, "")
    if not text:
        return len(os.sched_getaffinity(0))
    if not text.isdecimal() or int(text) == 0:
        raise ServingSettingError(f"{WORKERS_VARIABLE} is {text!r}, must be a number from 1")
    return int(text)


def main() -> int:
    """Serve the model under ``/opt/ml/model``."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    environment = os.environ
    application = load_application(JobFolders.of_environment(environment).model, environment)
    count = processes_of(environment)
    host = environment.get(HOST_VARIABLE, "0.0.0.0")  # noqa: S104 - a container serves its network
    listener = listen(host, int(environment.get(PORT_VARIABLE, "8080")))
    # What is loaded stays: it need not be looked through again, nor copied into each process.
    gc.collect()
    gc.freeze()
    status = serve_in_processes(application, listener, Limits(), count)
    logger.info("stopped")
    return status
