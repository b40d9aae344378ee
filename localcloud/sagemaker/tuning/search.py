"""The strategies, played by Optuna: TPE for Bayesian, random, and a grid of categories."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from localcloud.sagemaker.tuning.ranges import CATEGORICAL, INTEGER, LINEAR, REVERSE, Range

optuna.logging.set_verbosity(optuna.logging.WARNING)
BAYESIAN, GRID = "Bayesian", "Grid"
FEWEST_RANDOM, MOST_RANDOM = 3, 10
Values = dict[str, str]


class Search:
    """Proposes values and learns from what they gave."""

    def __init__(
        self, strategy: str, ranges: Sequence[Range], *, maximise: bool, seed: int | None, jobs: int
    ) -> None:
        self._ranges = {each.name: each for each in ranges}
        self._distributions = {each.name: _distribution(each) for each in ranges}
        self._study = optuna.create_study(
            direction="maximize" if maximise else "minimize",
            sampler=_sampler(strategy, seed, jobs),
        )
        self._open: dict[str, optuna.Trial] = {}
        for combination in _combinations(ranges) if strategy == GRID else ():
            self._study.enqueue_trial(combination)

    def propose(self, job: str) -> Values:
        """Choose the values of the next training job."""
        trial = self._study.ask(self._distributions)
        self._open[job] = trial
        return {
            name: each.spelled(_forward(each, trial.params[name]))
            for name, each in self._ranges.items()
        }

    def learn(self, job: str, value: float | None) -> None:
        """Take the outcome of a job; None when it has none."""
        trial = self._open.pop(job)
        if value is None:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def know(self, values: Mapping[str, str], outcome: float) -> bool:
        """Take an outcome of an earlier tuning job, if its values are in these ranges."""
        read = {name: each.read(values.get(name, "")) for name, each in self._ranges.items()}
        if None in read.values():
            return False
        parameters = {name: _backward(self._ranges[name], value) for name, value in read.items()}
        trial = optuna.trial.create_trial(
            params=parameters, distributions=self._distributions, value=outcome
        )
        self._study.add_trial(trial)
        return True


def _sampler(strategy: str, seed: int | None, jobs: int) -> BaseSampler:
    if strategy != BAYESIAN:
        return RandomSampler(seed=seed)
    random = min(MOST_RANDOM, max(FEWEST_RANDOM, jobs // 3))
    # The liar keeps jobs that run side by side apart.
    return TPESampler(seed=seed, n_startup_trials=random, multivariate=True, constant_liar=True)


def _combinations(ranges: Sequence[Range]) -> Iterator[dict[str, str]]:
    for values in itertools.product(*(each.values for each in ranges)):
        yield dict(zip((each.name for each in ranges), values, strict=True))


def _distribution(each: Range) -> BaseDistribution:
    if each.kind == CATEGORICAL:
        return CategoricalDistribution(each.values)
    if each.kind == INTEGER:
        return IntDistribution(int(each.low), int(each.high), log=each.scale != LINEAR)
    if each.scale == REVERSE:  # the distance to 1 is what spreads over magnitudes
        return FloatDistribution(1 - each.high, 1 - each.low, log=True)
    return FloatDistribution(each.low, each.high, log=each.scale != LINEAR)


def _forward(each: Range, value: Any) -> Any:
    return 1 - value if each.scale == REVERSE else value


_backward = _forward
