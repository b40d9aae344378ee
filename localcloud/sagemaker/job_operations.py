"""What training, processing and tuning jobs have in common: describe, list, stop, recover."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run, Runs
from localcloud.registry import Call
from localcloud.sagemaker.errors import in_use, invalid
from localcloud.sagemaker.job_state import JobState
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags

RUNNING = ("InProgress", "Stopping")


@dataclass(frozen=True)
class JobType:
    """How the API names one type of job and its members."""

    noun: str  #: as in Create<noun>
    kind: str  #: in ARNs and in the store
    words: str  #: in messages
    summaries: str
    summary: tuple[str, ...]
    missing: str
    taken: str

    @property
    def name(self) -> str:
        """The member that holds the name."""
        return f"{self.noun}Name"

    @property
    def arn(self) -> str:
        """The member that holds the ARN."""
        return f"{self.noun}Arn"

    @property
    def status(self) -> str:
        """The member that holds the status."""
        return f"{self.noun}Status"

    @property
    def end_time(self) -> str:
        """The member that holds the time of the end."""
        return f"{self.noun.removesuffix('Job')}EndTime"


class Jobs:
    """The operations of one type of job; what starts one is the subclass's."""

    about: ClassVar[JobType]

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        self._host = host
        self._store = store
        self._tags = tags
        self._runs = Runs()

    def describe(self, call: Call) -> Document:
        """Describe a job."""
        return self.get(Scope.of(call), call.parameters[self.about.name])

    def list(self, call: Call) -> Document:
        """List jobs."""
        about = self.about
        found, token = page(
            self._store.all(Scope.of(call), about.kind),
            call.parameters,
            name=about.name,
            status=about.status,
            fields=about.summary,
        )
        return {about.summaries: found, **({"NextToken": token} if token else {})}

    def stop(self, call: Call) -> Document:
        """Stop a job."""
        scope, name = Scope.of(call), call.parameters[self.about.name]
        job = self.get(scope, name)
        status = job[self.about.status]
        if status not in RUNNING:
            raise invalid(
                f"The request was rejected because the {self.about.words} is in status {status}."
            )
        self.end_early(scope, name)
        return {}

    def end_early(self, scope: Scope, name: str) -> None:
        """Begin to stop a job that runs."""
        state = self._state(scope, name)
        state.set(**{self.about.status: "Stopping"})
        self._when_stopping(state)
        self._runs.stop(state.arn)

    def recover(self) -> None:
        """Say of jobs that a stop of the embedded AWS interrupted that they failed."""
        for scope, name in list(self._store.everywhere(self.about.kind)):
            job = self._store.find(scope, self.about.kind, name) or {}
            if job.get(self.about.status) in RUNNING:
                state = self._state(scope, name)
                self._when_interrupted(state)
                ended = {self.about.status: "Failed", self.about.end_time: now()}
                reason = "InternalServerError: the embedded AWS was stopped meanwhile."
                state.end(**ended, FailureReason=reason)

    def get(self, scope: Scope, name: str) -> Document:
        """Copy a job's description, or refuse."""
        return self._store.get(scope, self.about.kind, name, self.about.missing.format(name=name))

    def _add(self, scope: Scope, description: Document, tags: Sequence[Document]) -> JobState:
        """Store a new job; its name must be free."""
        name, moment = description[self.about.name], now()
        arn = scope.arn(self.about.kind, name)
        document = {
            **description,
            self.about.arn: arn,
            self.about.status: "InProgress",
            "CreationTime": moment,
            "LastModifiedTime": moment,
        }
        if not self._store.add(scope, self.about.kind, name, document):
            raise in_use(f"{self.about.taken} ({arn})")
        self._tags.set(scope, arn, tags)
        return self._state(scope, name)

    def _begin(self, state: JobState, run: Run, work: Callable[[], None]) -> None:
        self._runs.begin(state.arn, run, work)

    def _state(self, scope: Scope, name: str) -> JobState:
        arn = scope.arn(self.about.kind, name)
        return JobState(self._store, scope, self.about.kind, name, arn)

    def _when_stopping(self, state: JobState) -> None:
        """Say more of a job that is being stopped."""

    def _when_interrupted(self, state: JobState) -> None:
        """Say more of a job that did not survive the embedded AWS."""
