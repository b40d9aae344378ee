"""The evaluation as one page for people: tables and plots, nothing from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from pipeline_code.training_pipeline.contract import Comparison, Evaluation, Gain, Metrics
from pipeline_code.training_pipeline.plots import bars, calibration_plot, intervals

METRICS = ("auc", "pr_auc", "log_loss", "brier", "ece")
TOP_FEATURES = 12
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
       color: #1a1a1a; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 1.5rem }
td, th { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child { text-align: left }
svg { display: block; margin: .5rem 0 1.5rem }
svg text { font: 12px system-ui, sans-serif; fill: #1a1a1a }
svg rect, svg circle { fill: #2b6cb0 }
.line { stroke: #2b6cb0; stroke-width: 2; fill: none }
.ideal { stroke: #888; stroke-dasharray: 4 3; fill: none }
"""


def page(evaluation: Evaluation) -> str:
    """Write the page."""
    parts = [
        _section("Quality on the test months", _quality(evaluation)),
        _section("Calibration", _calibration(evaluation)),
        _section("Against the champion", _comparison(evaluation)),
        _section("Members alone", _metrics_table(evaluation["members"], "member")),
        _section("A source is missing", _metrics_table(evaluation["without_source"], "without")),
        *(
            _section(f"By {name}", _metrics_table(values, name))
            for name, values in evaluation["slices"].items()
        ),
        _section("Groups beside each other", _fairness(evaluation)),
        _section("The answer taken apart", _decomposition(evaluation)),
        _section("What members look at", _importance(evaluation)),
        _section("What moves when one feature changes", _influence(evaluation)),
        _section("Size and latency", _cost(evaluation)),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Evaluation</title>'
        f"<style>{STYLE}</style></head><body><h1>Evaluation</h1>"
        f"<p>Dataset {escape(evaluation['dataset_id'])}. Intervals: 95 %, from "
        f"{evaluation.get('bootstrap_samples', 0)} bootstrap samples of whole days.</p>"
        f"{''.join(parts)}</body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>{content}" if content else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{cells}</tr>{body}</table>"


def _figures(metrics: Metrics) -> list[str]:
    return [f"{metrics[name]:.4f}" for name in METRICS]  # type: ignore[literal-required]


def _metrics_table(values: Mapping[str, Metrics], name: str) -> str:
    rows = [[key, *_figures(one), f"{one['rows']:,}"] for key, one in values.items()]
    return _table([name, *METRICS, "rows"], rows) if rows else ""


def _quality(evaluation: Evaluation) -> str:
    rows = {"challenger": evaluation["challenger"]}
    if "champion" in evaluation:
        rows["champion"] = evaluation["champion"]
    table = _metrics_table({**rows, **evaluation["baselines"]}, "model")
    found = evaluation.get("intervals", {})
    spans = [[name, f"{one['low']:.4f}", f"{one['high']:.4f}"] for name, one in found.items()]
    return table + (_table(["challenger", "from", "to"], spans) if spans else "")


def _calibration(evaluation: Evaluation) -> str:
    bins = evaluation.get("calibration", [])
    return calibration_plot([(one["mean_probability"], one["rate"]) for one in bins])


def _comparison(evaluation: Evaluation) -> str:
    comparison = evaluation.get("comparison")
    if comparison is None:
        return "<p>No model is serving: there is nothing to compare with.</p>"
    rows = {name: _three(gain) for name, gain in comparison["metrics"].items()}
    rows |= {
        f"log loss, {column} {value}": _three(gain)
        for column, values in comparison["slices"].items()
        for value, gain in values.items()
    }
    chances = "; ".join(
        f"{name} {gain['chance']:.0%}" for name, gain in comparison["metrics"].items()
    )
    return (
        f"<p>Gains; right of zero the challenger is better. Better in so many samples: {chances}."
        f"</p>{_missing(comparison)}{intervals(rows, 'Gains over the champion')}"
    )


def _missing(comparison: Comparison) -> str:
    return "".join(
        f"<p>The champion was measured without {escape(source)}: the dataset no longer has "
        f"{escape(', '.join(names))}.</p>"
        for source, names in comparison["champion_missing"].items()
    )


def _three(gain: Gain) -> tuple[float, float, float]:
    return gain["gain"], gain["low"], gain["high"]


def _fairness(evaluation: Evaluation) -> str:
    parts = []
    for column, found in evaluation.get("fairness", {}).items():
        names = ("base_rate", "mean_probability", "alert_rate", "true_positive_rate",
                 "false_positive_rate")  # fmt: skip
        rows = [
            [value, *(f"{group[name]:.3f}" for name in names), f"{group['rows']:,}"]  # type: ignore[literal-required]
            for value, group in found["groups"].items()
        ]
        head = [column, *(name.replace("_", " ") for name in names), "rows"]
        parts.append(
            f"<p>An alert is a probability of {found['threshold']} or more. Largest gap between "
            f"predicted and actual rate {found['max_calibration_gap']:.3f}, of true positive rates "
            f"{found['max_true_positive_gap']:.3f}, of false positive rates "
            f"{found['max_false_positive_gap']:.3f}.</p>{_table(head, rows)}"
        )
    return "".join(parts)


def _decomposition(evaluation: Evaluation) -> str:
    found = evaluation.get("decomposition")
    if found is None:
        return ""
    names = list(found["mean_absolute_share"])
    rows = []
    for example in found["examples"]:
        shares = example["shares"]
        assert isinstance(shares, dict)  # noqa: S101 - the contract's own type
        cells = [f"{shares[name]:+.3f}" if name in shares else "missing" for name in names]
        answer = [f"{example['probability']:.3f}", f"{example['base']:+.3f}"]
        rows.append([str(example["entity_id"]), *answer, *cells])
    plot = bars(found["mean_absolute_share"], "Mean absolute share of the log odds", 3)
    return plot + _table(["entity", "probability", "base", *names], rows)


def _importance(evaluation: Evaluation) -> str:
    return "".join(
        f"<h3>{escape(name)}</h3>{bars(_top(values), f'Importance in {name}', 3)}"
        for name, values in evaluation.get("importance", {}).items()
    )


def _influence(evaluation: Evaluation) -> str:
    found = evaluation.get("influence", {})
    if not found:
        return ""
    changes = _top({name: one["mean_change"] for name, one in found.items()})
    rows = [
        [
            name,
            ", ".join(found[name]["members"]),
            f"{found[name]['mean_change']:.4f}",
            f"{found[name]['p95_change']:.4f}",
            f"{found[name]['max_change']:.4f}",
            f"{found[name]['moved_share']:.1%}",
            f"{found[name]['auc_loss']:+.4f}",
        ]
        for name in changes
    ]
    head = ["feature", "members", "mean change", "95 %", "largest", "rows moved", "AUC lost"]
    return bars(changes, "Mean change of the probability") + _table(head, rows)


def _cost(evaluation: Evaluation) -> str:
    latency = evaluation.get("latency")
    times = [[name, f"{value:.3f} ms"] for name, value in (latency or {}).items()]
    return _table(["", ""], [["size", f"{evaluation['model_size_bytes']:,} bytes"], *times])


def _top(values: Mapping[str, float]) -> dict[str, float]:
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    return dict(ordered[:TOP_FEATURES])
