"""The price table: what AWS asks for a unit of each thing, and which things are free."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cli.errors import RefusedError

TABLE = Path(__file__).with_name("prices.yaml")


class Price(NamedTuple):
    """What one unit costs."""

    usd: float
    per: str


@dataclass(frozen=True)
class Prices:
    """The table, with its region and the day on which it was known."""

    document: dict[str, Any]

    @property
    def hours(self) -> float:
        """Return the hours of a month."""
        return float(self.document["hours_per_month"])

    @property
    def origin(self) -> str:
        """Say where and when the prices hold."""
        return (
            f"AWS's on-demand prices in {self.document['region']} as known on "
            f"{self.document['as_known_on']}, without free tiers, taxes and data transfer"
        )

    def of(self, name: str) -> Price:
        """Return the price of a thing."""
        entry = self.document["prices"][name]
        return Price(float(entry["usd"]), str(entry["per"]))

    def instance(self, kind: str) -> Price:
        """Return the price of an hour of a SageMaker instance.

        Raises:
            RefusedError: the table does not know the instance type.

        """
        hourly = self.document["instances"]
        if kind not in hourly:
            message = (
                f"cli/cost/prices.yaml has no price for {kind}; it has {', '.join(hourly)}. "
                "Add it from https://aws.amazon.com/sagemaker/ai/pricing/"
            )
            raise RefusedError(message)
        return Price(float(hourly[kind]), f"{kind} hour")

    def glue_units(self, worker_type: str) -> float:
        """Return the data processing units of one Glue worker."""
        return float(self.document["glue_workers"][worker_type])

    def is_free(self, resource_type: str) -> bool:
        """Tell whether a resource costs nothing by itself."""
        free: list[str] = self.document["free"]
        return any(fnmatchcase(resource_type, pattern) for pattern in free)


def read_prices(table: Path = TABLE) -> Prices:
    """Read the table."""
    return Prices(yaml.safe_load(table.read_text(encoding="utf-8")))
