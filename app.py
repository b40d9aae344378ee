"""The CDK app: pick the environment, build the stage."""

from __future__ import annotations

import sys

from aws_cdk import App

from stacks.config.environments import UnknownEnvironmentError, environment_named
from stacks.stage import FourblocksStage


def main() -> None:
    """Synthesise the environment that `-c environment=<name>` names, `local` by default.

    `-c commit=<id>` says which commit it is; datasets and models carry it. `-c image=<uri>` says
    which image was built for it; without, the CDK CLI builds one.
    """
    # cfn-lint and cdk-nag judge the templates in the tests; here it would only take seconds.
    app = App(builtin_cloud_formation_validation=False)
    try:
        config = environment_named(
            app.node.try_get_context("environment") or "local",
            commit=app.node.try_get_context("commit") or "unknown",
            image=app.node.try_get_context("image"),
        )
    except UnknownEnvironmentError as error:
        sys.exit(str(error))
    FourblocksStage(app, config.stage_name, config=config)
    app.synth()


if __name__ == "__main__":
    main()
