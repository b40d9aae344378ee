"""What can go wrong for an operator, each with its exit code and its advice."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of `fourblocks`; 2 is wrong usage, as in every typer command."""

    OK = 0
    REFUSED = 1
    NOT_THERE = 3
    CREDENTIALS = 4
    MACHINE = 5


class OperatorError(Exception):
    """A command cannot do what was asked; the message says why and what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.REFUSED


class RefusedError(OperatorError):
    """The platform ran and said no: a batch was rejected, a training or a deployment failed."""


class NotThereError(OperatorError):
    """What the command needs is not running, not deployed or not published yet."""

    exit_code = ExitCode.NOT_THERE


class CredentialsError(OperatorError):
    """AWS does not accept, or does not find, the operator's credentials."""

    exit_code = ExitCode.CREDENTIALS


class MachineError(OperatorError):
    """The machine is in the way: no disk space, a port that is taken, a tool that is missing."""

    exit_code = ExitCode.MACHINE
