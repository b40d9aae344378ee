"""What the training toolkit tells a script: `SM_*` variables and the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.sagemaker.algorithms.container import Container

Values = Mapping[str, Any]


def arguments(hyperparameters: Values) -> list[str]:
    """Spell hyperparameters as a command line, in the order of their names."""
    words = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        dashes = "-" if len(name) == 1 else "--"
        words += [f"{dashes}{name}", value if isinstance(value, str) else _text(value)]
    return words


def environment(
    container: Container, own: Values, steering: Values, *, framework: str, folder: Path
) -> dict[str, str]:
    """Build the environment of the script."""
    program = str(steering.get("sagemaker_program", ""))
    base, resources = container.base, container.document("resourceconfig")
    channels = {name: str(channel.folder) for name, channel in container.channels().items()}
    facts: dict[str, Any] = {
        "model_dir": str(container.model_folder),
        "output_dir": str(base / "output"),
        "output_data_dir": str(container.output_folder),
        "output_intermediate_dir": str(base / "output" / "intermediate"),
        "input_dir": str(base / "input"),
        "input_config_dir": str(base / "input" / "config"),
        "input_data_config": container.document("inputdataconfig"),
        "channels": sorted(channels),
        "hps": dict(own),
        "user_args": arguments(own),
        "framework_params": dict(steering),
        "framework_module": framework,
        "resource_config": resources,
        "hosts": resources.get("hosts", []),
        "current_host": resources.get("current_host", "algo-1"),
        "current_instance_type": resources.get("current_instance_type", ""),
        "network_interface_name": resources.get("network_interface_name", "lo"),
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": 0,
        "log_level": steering.get("sagemaker_container_log_level", 20),
        "user_entry_point": program,
        "module_name": Path(program).stem,
        "module_dir": str(steering.get("sagemaker_submit_directory", "")),
    }
    facts["training_env"] = {**facts, "channel_input_dirs": channels, "hyperparameters": dict(own)}
    facts |= {f"channel_{name}": path for name, path in channels.items()}
    facts |= {f"hp_{name}": value for name, value in own.items()}
    variables = {
        f"SM_{_variable(name)}": value if isinstance(value, str) else _text(value)
        for name, value in facts.items()
    }
    return {**container.environment, **variables, "PYTHONPATH": _python_path(folder)}


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _text(value: Any) -> str:
    return str(value) if isinstance(value, bool | float) else json.dumps(value)


def _python_path(folder: Path) -> str:
    """Return the PYTHONPATH of the script: its own folder, and not ours."""
    own = str(Path(__file__).parents[3])
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join([str(folder), *(each for each in inherited if each not in ("", own))])
