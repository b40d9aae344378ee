"""The examination: all checks, side by side, each with what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli.assembly import Assembly, read_config, synthesise
from cli.doctor import bootstrap, deployed, machine, quotas, region, source, templates
from cli.doctor.findings import Account, Finding, Plan, fault, unknown, well
from cli.doctor.identity import LOGIN, Identity, Now, identify, now
from cli.doctor.machine import Machine
from cli.errors import OperatorError, RefusedError
from cli.target import LOCAL

Check = Callable[[Plan], list[Finding]]

ON_AWS: dict[str, Check] = {
    "region": region.opened,
    "services": region.services,
    "AWS's images": region.region_tables,
    "model image": region.image,
    "bootstrap": bootstrap.bootstrap,
    "quotas": quotas.quotas,
    "source": source.source,
    "stacks": deployed.stacks,
    "leftovers": deployed.leftovers,
}
EMBEDDED: dict[str, Check] = {"stacks": deployed.stacks, "leftovers": deployed.leftovers}
"""The embedded AWS has no quotas, no registry to wait for, and bootstraps at deployment."""
TEMPLATES = {
    "names": templates.names,
    "closed services": templates.closed_services,
    "stack limits": templates.stack_limits,
}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


@dataclass(frozen=True)
class Patient:
    """What is examined: an environment from this machine with these credentials."""

    environment: str
    session: Callable[[], boto3.Session]
    machine: Machine = Machine()  # noqa: RUF009 - it is immutable
    read_config: Callable[[str], dict[str, Any]] = read_config
    synthesise: Callable[[str], Assembly] = synthesise
    clock: Now = now

    @property
    def is_local(self) -> bool:
        """Tell whether the embedded AWS is meant."""
        return self.environment == LOCAL


def examine(patient: Patient) -> list[Finding]:
    """Run every check that can run; one that rests on what is broken says so."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        on_machine = [
            pool.submit(machine.tools, patient.machine, local=patient.is_local),
            pool.submit(machine.disk, patient.machine),
        ]
        synthesis = pool.submit(patient.synthesise, patient.environment)
        identity = pool.submit(_identity, patient)
        assembly, synthesised = _assembly(synthesis)
        account, identified = identity.result()
        templated = [
            pool.submit(check, assembly) for check in TEMPLATES.values() if assembly is not None
        ]
        asked = _ask(pool, patient, assembly, account)
        return [
            *_results(on_machine),
            *synthesised,
            *identified,
            *_results(templated),
            *_results(asked),
        ]


def _identity(patient: Patient) -> Identity:
    try:
        config = patient.read_config(patient.environment)
    except RefusedError:
        config = {}  # the synthesis says the same, and why
    try:
        return identify(patient.session(), config, clock=patient.clock)
    except OperatorError as error:
        remedy = "fourblocks up" if patient.is_local else LOGIN
        return Identity(None, [fault("credentials", str(error), remedy)])


def _assembly(synthesis: Future[Assembly]) -> tuple[Assembly | None, list[Finding]]:
    try:
        assembly = synthesis.result()
    except RefusedError as error:
        remedy = "Mend it; make synth ENVIRONMENT=<name> says all of it"
        return None, [fault("synthesis", str(error).splitlines()[-1].strip(), remedy)]
    return assembly, well("synthesis", f"{len(assembly.templates)} stacks")


def _ask(
    pool: ThreadPoolExecutor, patient: Patient, assembly: Assembly | None, account: Account | None
) -> list[Future[list[Finding]]]:
    checks = EMBEDDED if patient.is_local else ON_AWS
    if assembly is None or account is None:
        missing = "templates" if assembly is None else "credentials"
        return [pool.submit(_not_looked_at, name, missing) for name in checks]
    plan = Plan(assembly, account)
    return [pool.submit(partial(guarded, name, check, plan)) for name, check in checks.items()]


def _not_looked_at(name: str, missing: str) -> list[Finding]:
    return [unknown(name, f"not looked at without {missing}")]


def guarded(name: str, check: Check, plan: Plan) -> list[Finding]:
    """Run a check; what AWS does not let us see is unknown, what it does not answer is a fault."""
    try:
        return check(plan)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED:
            needed = f"The caller lacks a permission: {error.response['Error']['Message']}"
            return [unknown(name, f"not looked at: {error.operation_name} is denied", needed)]
        return [fault(name, str(error), "Try again; then see the AWS Health Dashboard")]
    except BotoCoreError as error:
        return [fault(name, f"AWS does not answer: {error}", "Look at network, proxy and region")]


def _results(futures: Iterable[Future[list[Finding]]]) -> list[Finding]:
    return [finding for future in futures for finding in future.result()]
