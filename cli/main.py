"""The command `fourblocks`: its subcommands, their options and their exit codes.

Exit codes: 0 done; 1 the platform said no; 2 wrong usage; 3 not running, deployed or published yet;
4 credentials; 5 the machine (disk, port, missing tool).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import embedded
from cli.approval import decide
from cli.batch import BatchOptions, batch
from cli.command import Profile, Region, on_target, reported
from cli.cost.command import CostOptions, show_cost
from cli.dataset_comparison import compare_datasets
from cli.dataset_report import show_dataset
from cli.dataset_versions import list_datasets
from cli.decisions import decide as decide_about
from cli.demo import run_demo
from cli.deployment import deploy
from cli.destruction import destroy, show_what_is_there
from cli.doctor.command import diagnose
from cli.explanation import explain_prediction
from cli.idle import sleep, wake
from cli.ingestion import ingest
from cli.job_logs import show_log, show_overview
from cli.local_change import try_local_change
from cli.model_deployments import deploy_model, moment, roll_back, show_deployments
from cli.models import explain, reproduce, show_models
from cli.overview import show_api, show_status
from cli.people_commands import sign_in_command, users_app
from cli.pipeline_commands import pipeline_app
from cli.prediction import predict
from cli.quarantine import list_quarantine, replay, show_quarantine
from cli.target import LOCAL, Address, Target
from cli.traces import show_trace
from cli.training import hand_in, train

app = typer.Typer(
    name="fourblocks",
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command("up")
@reported
def up_command() -> None:
    """Start the embedded AWS on this machine."""
    embedded.up()


@app.command("down")
@reported
def down_command() -> None:
    """Stop the embedded AWS and everything that runs in it."""
    embedded.down()


@app.command("deploy")
@on_target
def deploy_command(target: Target) -> None:
    """Deploy every stack of an environment with the CDK CLI, bootstrapping when needed."""
    deploy(target)


@app.command("ingest")
@on_target
def ingest_command(
    target: Target,
    folder: Annotated[Path, typer.Argument(help="Folder that holds <source>/<file>.")],
) -> None:
    """Upload source files that changed and follow the data pipeline to its end."""
    ingest(target, folder)


@app.command("train")
@on_target
def train_command(
    target: Target,
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it.")] = "asked for by hand",
    config: Annotated[
        Path | None, typer.Option(help="Train with this configuration from now on.")
    ] = None,
    local_change: Annotated[
        bool,
        typer.Option(
            "--local-change",
            help="Compare what use_cases/ says here with the serving model; nothing live changes.",
        ),
    ] = False,
) -> None:
    """Follow the running training, or start one, to its verdict and deployment."""
    if local_change:
        try_local_change(target, config)
        return
    if config is not None:
        hand_in(target, config)
    train(target, reason=reason)


@app.command("models")
@on_target
def models_command(target: Target) -> None:
    """List the model versions with their states and verdicts."""
    show_models(target)


Version = Annotated[int, typer.Argument(min=1, help="A model version.")]


@app.command("why")
@on_target
def why_command(target: Target, version: Version) -> None:
    """Say why a model version was promoted, rejected or left to a person."""
    explain(target, version)


Why = Annotated[str, typer.Option("--reason", help="Why; the ledger keeps it.")]


@app.command("approve")
@on_target
def approve_command(target: Target, version: Version, reason: Why) -> None:
    """Approve a version that waits for it; whoever asked for its training cannot."""
    decide(target, version, decision="approved", reason=reason)


@app.command("reject")
@on_target
def reject_command(target: Target, version: Version, reason: Why) -> None:
    """Reject a version that waits for a decision."""
    decide(target, version, decision="rejected", reason=reason)


@app.command("deploy-model")
@on_target
def deploy_model_command(
    target: Target,
    version: Version,
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it.")] = "asked for by hand",
    bake_seconds: Annotated[
        int | None, typer.Option(min=0, max=3600, help="How long each step is watched.")
    ] = None,
) -> None:
    """Deploy a version: tried, moved step by step under watch, rolled back if it is bad."""
    deploy_model(target, version, reason=reason, bake_seconds=bake_seconds)


@app.command("rollback")
@on_target
def rollback_command(
    target: Target,
    reason: Why,
    to: Annotated[str, typer.Option(help="A version, or `previous`.")] = "previous",
) -> None:
    """Go back to a version that served before; the one that serves now is blocked."""
    roll_back(target, to, reason=reason)


@app.command("deployments")
@on_target
def deployments_command(
    target: Target,
    at: Annotated[str | None, typer.Option(help="What served then? E.g. 2026-01-31T12:00.")] = None,
) -> None:
    """List deployments and roll-backs with their reasons, or say what served at a moment."""
    show_deployments(target, moment(at) if at else None)


@app.command("reproduce")
@on_target
def reproduce_command(target: Target, version: Version) -> None:
    """Rebuild a version from its record and compare it with the registered one."""
    reproduce(target, version)


@app.command("status")
@on_target
def status_command(target: Target) -> None:
    """Show stacks, executions, the latest dataset, the serving model and its endpoint."""
    show_status(target)


@app.command("predict")
@on_target
def predict_command(
    target: Target,
    file: Annotated[
        Path | None, typer.Argument(help="JSON request, or one instance a line; - reads stdin.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, max=500, help="Ask about N held-out entities instead.")
    ] = None,
    entity: Annotated[
        list[str] | None,
        typer.Option("--entity", help="Ask about what the Feature Store holds of it; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer.")] = False,
) -> None:
    """Ask the deployed model over HTTP and show each member's share of the answer."""
    predict(target, file=file, sample=sample, entities=entity or [], as_json=as_json)


@app.command("explain")
@on_target
def explain_command(
    target: Target,
    prediction: Annotated[str, typer.Argument(help="A prediction's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer.")] = False,
) -> None:
    """Say what a prediction is made of, and what became of it."""
    explain_prediction(target, prediction, as_json=as_json)


@app.command("decide")
@on_target
def decide_command(
    target: Target,
    file: Annotated[
        Path | None, typer.Argument(help="JSON request with predictions; - reads stdin.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, max=500, help="Decide about N held-out entities instead.")
    ] = None,
    workflow: Annotated[
        bool, typer.Option("--workflow", help="Let a job decide, which takes any number.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer.")] = False,
) -> None:
    """Decide what to do about predictions: what it costs and saves, and what is scarce."""
    decide_about(target, file=file, sample=sample, workflow=workflow, as_json=as_json)


@app.command("open")
@on_target
def open_command(target: Target) -> None:
    """Show the API's address and a curl call that works."""
    show_api(target)


@app.command("logs")
@on_target
def logs_command(
    target: Target,
    name: Annotated[
        str | None, typer.Argument(help="A job, a log stream or a log group; without: list.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more lines.")] = False,
    correlation_id: Annotated[
        str | None, typer.Option(help="Instead: all that functions wrote about one request.")
    ] = None,
) -> None:
    """Show what jobs and functions wrote."""
    if correlation_id is not None:
        show_trace(target, correlation_id)
    elif name is None:
        show_overview(target)
    else:
        show_log(target, name, follow=follow)


@app.command("datasets")
@on_target
def datasets_command(
    target: Target,
    limit: Annotated[int, typer.Option(min=1, help="Versions to show at most.")] = 20,
) -> None:
    """Show the published dataset versions, newest first."""
    list_datasets(target, limit=limit)


dataset_app = typer.Typer(no_args_is_help=True, help="One dataset version, or two compared.")
app.add_typer(dataset_app, name="dataset")


@dataset_app.command("show")
@on_target
def dataset_show_command(
    target: Target,
    dataset: Annotated[str, typer.Argument(help="Beginning of its id, or `latest`.")] = "latest",
    column: Annotated[
        list[str] | None, typer.Option("--column", help="Only this column; may be repeated.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file instead.")] = None,
) -> None:
    """Show a version's origin, rows and distributions."""
    show_dataset(target, dataset, columns=column or [], split=split, html=html)


@dataset_app.command("diff")
@on_target
def dataset_diff_command(
    target: Target,
    before: Annotated[str, typer.Argument(help="Beginning of an id, or `latest`.")],
    after: Annotated[str, typer.Argument(help="The version to compare with it.")] = "latest",
    limit: Annotated[int, typer.Option(min=1, help="Columns to show, most moved first.")] = 20,
) -> None:
    """Compare two versions: origin, schema, rows and how far each column moved."""
    compare_datasets(target, before, after, limit=limit)


quarantine_app = typer.Typer(no_args_is_help=True, help="Records that broke their contract.")
app.add_typer(quarantine_app, name="quarantine")

Source = Annotated[str | None, typer.Option("--source", help="Only this source's.")]


@quarantine_app.command("list")
@on_target
def quarantine_list_command(
    target: Target,
    source: Source = None,
    run: Annotated[str | None, typer.Option("--run", help="Only this run's.")] = None,
) -> None:
    """Show how many records each run put aside, by source and rule."""
    list_quarantine(target, source=source, run_id=run)


@quarantine_app.command("show")
@on_target
def quarantine_show_command(
    target: Target,
    run: Annotated[str, typer.Argument(help="A run of `quarantine list`.")],
    source: Source = None,
    limit: Annotated[int, typer.Option(min=1, help="Entries to show at most.")] = 50,
) -> None:
    """Show the records that a run put aside: file, line, column, value and reason."""
    show_quarantine(target, run, source=source, limit=limit)


@quarantine_app.command("replay")
@on_target
def quarantine_replay_command(
    target: Target,
    source: Annotated[str, typer.Argument(help="The file's source.")],
    file: Annotated[Path, typer.Argument(help="Corrected file, named as the one it replaces.")],
) -> None:
    """Land a corrected file in place of a broken one and follow its run."""
    replay(target, source, file)


EnvironmentName = Annotated[
    str, typer.Argument(envvar="FOURBLOCKS_ENVIRONMENT", help="Environment to look at.")
]


@app.command("cost")
@reported
def cost_command(
    environment: EnvironmentName = LOCAL,
    against: Annotated[
        str | None, typer.Option(help="A commit, or a file of `--json`: show the difference.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the estimate as JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the difference as a comment.")
    ] = False,
) -> None:
    """Estimate an environment's monthly bill from its templates and configuration."""
    show_cost(environment, CostOptions(against, as_json, as_markdown))


@app.command("batch")
@on_target
def batch_command(
    target: Target,
    file: Annotated[Path, typer.Argument(help="One instance a line: .jsonl or .ndjson.")],
    output: Annotated[
        Path | None, typer.Option(help="File of the answers; by default beside the other.")
    ] = None,
    instance: Annotated[str, typer.Option(help="Instance type of the job.")] = "ml.m5.large",
    joined: Annotated[
        bool, typer.Option("--joined", help="Write each answer with what was asked.")
    ] = False,
) -> None:
    """Answer a whole file with the serving model; its endpoint is not asked, and may sleep."""
    batch(target, file, BatchOptions(output, instance, joined))


@app.command("sleep")
@on_target
def sleep_command(
    target: Target,
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it.")] = "stopped by hand",
) -> None:
    """Stop the endpoint, which costs money while it runs; `wake` brings it back."""
    sleep(target, reason=reason)


@app.command("wake")
@on_target
def wake_command(
    target: Target,
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it.")] = "woken by hand",
) -> None:
    """Deploy the version that served before the endpoint was stopped."""
    wake(target, reason=reason)


@app.command("destroy")
@on_target
def destroy_command(
    target: Target,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what is there that costs money.")
    ] = False,
) -> None:
    """Remove an environment, and verify that nothing is left that costs money."""
    if dry_run:
        show_what_is_there(target)
        return
    if not yes:
        typer.confirm(f"Remove all of {target.environment}, its data included?", abort=True)
    destroy(target)


@app.command("doctor")
@reported
def doctor_command(
    environment: EnvironmentName = LOCAL,
    profile: Profile = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say what a deployment would fail on, before anything is spent, and what to do about it."""
    diagnose(Address(environment, profile, region), as_json=as_json)


app.add_typer(pipeline_app, name="pipeline")


app.add_typer(users_app, name="users")
app.command("sign-in")(sign_in_command)


@app.command("demo")
@reported
def demo_command() -> None:
    """Run the whole lifecycle on the embedded AWS: deploy, ingest, train, deploy, predict."""
    run_demo()


if __name__ == "__main__":
    app()
