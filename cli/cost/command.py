"""`fourblocks cost`: the bill of a month before there is one."""

from __future__ import annotations

import json
from typing import NamedTuple

from cli.assembly import synthesise
from cli.cost.difference import differences, estimate_of
from cli.cost.estimate import Estimate, estimate
from cli.cost.prices import Prices, read_prices
from cli.cost.report import difference_table, estimate_table, markdown, unpriced_note, verdict
from cli.screen import console


class CostOptions(NamedTuple):
    """How the estimate is wanted."""

    against: str | None = None
    as_json: bool = False
    as_markdown: bool = False


def show_cost(environment: str, options: CostOptions) -> None:
    """Estimate the bill of an environment, or what a change does to it."""
    prices = read_prices()
    found = estimate(synthesise(environment), prices)
    if options.against is not None:
        _show_difference(found, prices, options)
    elif options.as_json:
        console.print_json(json.dumps({**found.document(), "prices": prices.origin}))
    else:
        _show_estimate(found, prices)


def _show_estimate(found: Estimate, prices: Prices) -> None:
    console.print(estimate_table(found))
    console.print(f"Prices: {prices.origin}. Use: `usage` in stacks/config/environments.py.")
    if found.unpriced:
        console.print(unpriced_note(found), style="yellow")


def _show_difference(found: Estimate, prices: Prices, options: CostOptions) -> None:
    before = estimate_of(str(options.against), found.environment, prices)
    after = found.document()
    changes = differences(before, after)
    line = verdict(found.environment, before, after)
    if options.as_json:
        moved = [{**each._asdict(), "usd": round(each.usd, 4)} for each in changes]
        console.print_json(json.dumps({"before": before, "after": after, "changes": moved}))
    elif options.as_markdown:
        console.print(markdown(line, changes, prices.origin), markup=False)
    else:
        console.print(difference_table(changes))
        console.print(line)
