"""What the execution of every job in a container has in common."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from localcloud.jobs.host import Host, client
from localcloud.jobs.process import JobProcess
from localcloud.jobs.runs import Run
from localcloud.registry import ServiceError
from localcloud.sagemaker.job_state import JobLog, JobState
from localcloud.sagemaker.layout import (
    ContainerFolder,
    Network,
    command_line,
    container_environment,
    located,
)
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.transfer import TransferError

LOG = logging.getLogger(__name__)
STOP_GRACE_SECONDS = 120.0
DEFAULT_LIMIT_SECONDS = 86400
REASON_CHARACTERS = 900


class ContainerRun:
    """Calling it runs the job to its end."""

    folder_name: ClassVar[str]

    def __init__(
        self, host: Host, state: JobState, run: Run, role: dict[str, str], request: Document
    ) -> None:
        self._host = host
        self._state = state
        self._run = run
        self._role = role
        self._request = request
        self._s3 = client("s3", role)

    def __call__(self) -> None:
        """Run the job; whatever happens, it ends in a final state."""
        name = self._state.arn.split(":", 5)[5]
        folder = ContainerFolder(self._host.folder(self.folder_name) / name)
        try:
            self._carry_out(folder)
        except (TransferError, ServiceError) as error:
            self._fail(str(error))
        except Exception as error:
            LOG.exception("job %s", self._state.arn)
            self._fail(f"InternalServerError: {error}")
        finally:
            folder.remove()

    def _carry_out(self, folder: ContainerFolder) -> None:
        raise NotImplementedError

    def _fail(self, reason: str) -> None:
        raise NotImplementedError

    def _launch(
        self,
        image_uri: str,
        specification: Document,
        default: Sequence[str],
        network: Network,
        own: Mapping[str, str],
        *,
        folder: ContainerFolder,
        log: JobLog,
    ) -> JobProcess:
        """Start the container; `default` is what it runs when the request says nothing."""
        image = self._host.resolve_image(image_uri)
        command = command_line(image, specification, default or image.cmd)
        environment = {**own, **self._request.get("Environment", {})}
        return JobProcess(
            network.command(located(command, image, folder)),
            folder=image.workdir,
            environment=container_environment(
                image, network.credentials(self._role), folder, environment
            ),
            pids=self._host.pids,
            on_output=log.write,
        )


def algorithm_error(reason: str, process: JobProcess) -> str:
    """Say why a container failed, as SageMaker does."""
    return f"AlgorithmError: {reason[:REASON_CHARACTERS]}, exit code: {process.exit_code}"


def final_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value}
