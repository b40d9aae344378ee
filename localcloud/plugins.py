"""Finds the services that extend ministack: every package here that has a module `service`."""

import importlib
from pathlib import Path

from localcloud.registry import Service


def load_services() -> list[Service]:
    """Import each package's `service` module and return what its `service()` offers."""
    modules = sorted(Path(__file__).parent.glob("*/service.py"))
    return [
        importlib.import_module(f"localcloud.{each.parent.name}.service").service()
        for each in modules
    ]
