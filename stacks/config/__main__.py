"""Prints an environment's configuration and the names that follow from it, as JSON.

The operator's command reads it this way: it imports nothing of the stacks.
"""

from __future__ import annotations

import json
import sys

from stacks.config.environments import UnknownEnvironmentError, environment_named
from stacks.config.model import EnvironmentConfig

NAMES = (
    "stage_name",
    "resource_prefix",
    "endpoint_name",
    "feature_group_prefix",
    "work_group_name",
    "model_package_group",
    "database_name",
)


def document(config: EnvironmentConfig) -> dict[str, object]:
    """Give what the command needs to know of an environment before it is deployed."""
    return {
        **config.model_dump(mode="json"),
        "names": {name: getattr(config, name) for name in NAMES},
    }


def main() -> None:
    """Print the environment that the first argument names."""
    try:
        config = environment_named(sys.argv[1])
    except UnknownEnvironmentError as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps(document(config), indent=2) + "\n")


if __name__ == "__main__":
    main()
