"""What `sparkSubmitParameters` says: the options of `spark-submit` that a Python job may use."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

DRIVER_ENVIRONMENT = "spark.emr-serverless.driverEnv."
EXECUTOR_ENVIRONMENT = "spark.executorEnv."
LISTS = ("py-files", "files", "archives", "jars")
SIZES = {
    "driver-memory": "spark.driver.memory",
    "driver-cores": "spark.driver.cores",
    "executor-memory": "spark.executor.memory",
    "executor-cores": "spark.executor.cores",
    "num-executors": "spark.executor.instances",
    "name": "spark.app.name",
}
# How large a job's cluster is on AWS says nothing of this machine.
DECIDED_HERE = ("spark.driver.memory", "spark.driver.cores", "spark.master")


class SubmitError(ValueError):
    """The parameters are none that `spark-submit` or the embedded AWS takes."""


@dataclass(frozen=True)
class SparkSubmit:
    """The parsed options."""

    settings: Mapping[str, str]
    py_files: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables that driver and executors get; here they are one process."""
        found: dict[str, str] = {}
        for prefix in (EXECUTOR_ENVIRONMENT, DRIVER_ENVIRONMENT):
            for name, value in self.settings.items():
                if name.startswith(prefix):
                    found[name.removeprefix(prefix)] = value
        return found

    @property
    def local_settings(self) -> dict[str, str]:
        """Give the settings that mean something on one machine."""
        lists = {f"spark.{name}" for name in LISTS} | {"spark.submit.pyFiles"}
        return {
            name: value
            for name, value in self.settings.items()
            if name not in lists and name not in DECIDED_HERE
        }


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SubmitError(f"sparkSubmitParameters: {message}")


def parse_submit(text: str, defaults: Mapping[str, str]) -> SparkSubmit:
    """Read the parameters of a job; `defaults` are settings that they win over."""
    parser = _Parser(allow_abbrev=False, add_help=False)
    parser.add_argument("--conf", "-c", action="append", default=[])
    for name in (*LISTS, *SIZES):
        parser.add_argument(f"--{name}")
    given = vars(parser.parse_args(shlex.split(text)))
    options = {name.replace("_", "-"): value for name, value in given.items() if value}
    settings = {**defaults, **dict(_pair(each) for each in given["conf"])}
    settings |= {SIZES[name]: value for name, value in options.items() if name in SIZES}
    lists = {name: _listed(options.get(name) or settings.get(_key(name), "")) for name in LISTS}
    for name in ("archives", "jars"):
        if lists[name]:
            raise SubmitError(
                f"sparkSubmitParameters: the embedded AWS takes no --{name} ({lists[name][0]}); "
                "put Python packages into the application's image"
            )
    return SparkSubmit(settings, lists["py-files"], lists["files"])


def _key(name: str) -> str:
    return "spark.submit.pyFiles" if name == "py-files" else f"spark.{name}"


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise SubmitError(f"sparkSubmitParameters: --conf {text} is not name=value")
    return name, value


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())
