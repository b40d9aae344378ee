"""An ensemble of a use case's real shape, trained on random rows: as costly to serve."""

from __future__ import annotations

import random
from importlib.resources import files
from pathlib import Path

import lightgbm
import numpy as np

from pipeline_code.inference.predictor import Instance, load_predictor
from pipeline_code.inference.scorers import LIGHTGBM
from pipeline_code.training_pipeline.algorithms import ROUNDS
from pipeline_code.training_pipeline.artefact import write_ensemble, write_golden
from pipeline_code.training_pipeline.config_document import parse_ensemble_config
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.member_artefact import MemberArtefact, describe
from pipeline_code.training_pipeline.out_of_fold import OutOfFold
from pipeline_code.training_pipeline.stacking import fit_stackers, join_out_of_fold
from pipeline_code.use_case import Field, load_use_case

ROWS = 4000
GOLDEN = 20


def build(folder: Path, name: str, seed: int = 1) -> list[Instance]:
    """Write the artefact to ``folder``; answer valid instances that it can be asked."""
    generator = random.Random(seed)  # noqa: S311 - no secret is drawn
    use_case = load_use_case(name)
    text = files(f"use_cases.{name}").joinpath("members.yaml").read_text(encoding="utf-8")
    config = parse_ensemble_config(text)
    instances: list[Instance] = [
        {
            group: {key: _value(field, generator) for key, field in fields.items()}
            for group, fields in use_case.inputs.items()
        }
        for _ in range(ROWS)
    ]
    features = use_case.features().row_features(use_case.columns(instances))
    matrix = np.column_stack([features[key].astype(np.float32) for key in config.features])
    artefacts = _train(config, matrix, seed)
    joined = join_out_of_fold(
        {one.description["name"]: one.out_of_fold for one in artefacts if one.out_of_fold}
    )
    stackers = fit_stackers(
        list(joined.scores), joined.scores, joined.available, joined.label, config.stacker_l2
    )
    write_ensemble(
        folder,
        use_case=name,
        dataset_id="synthetic",
        config=config,
        members=artefacts,
        stackers=stackers,
        stacked_on="out_of_fold",
    )
    golden = instances[:GOLDEN]
    answers = load_predictor(folder).predict(golden)
    write_golden(
        folder,
        [
            {"request": {"instances": [instance]}, "prediction": answer}
            for instance, answer in zip(golden, answers, strict=True)
        ],
    )
    return instances


def _train(
    config: EnsembleConfig, matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]], seed: int
) -> list[MemberArtefact]:
    label = np.random.default_rng(seed).integers(0, 2, len(matrix)).astype(np.float64)
    entities = [str(index) for index in range(len(matrix))]
    artefacts = []
    for member in config.members:
        columns = matrix[:, [config.features.index(name) for name in member.inputs]]
        parameters = {
            **{name: value for name, value in member.parameters.items() if name != ROUNDS},
            "min_data_in_leaf": 20,
            "objective": "binary",
            "num_threads": 1,
            "verbosity": -1,
        }
        rounds = int(member.parameters[ROUNDS])
        model = lightgbm.train(parameters, lightgbm.Dataset(columns, label), rounds)
        artefacts.append(
            MemberArtefact(
                description=describe(member, "synthetic"),
                scorer=LIGHTGBM,
                content=model.model_to_string().encode(),
                out_of_fold=OutOfFold(
                    entity_id=entities,
                    score=np.asarray(model.predict(columns, raw_score=True), dtype=np.float64),
                    available=np.ones(len(matrix), dtype=np.bool_),
                    label=label,
                ),
            )
        )
    return artefacts


def _value(field: Field, generator: random.Random) -> object:
    if field.type == "datetime":
        return f"2013-{generator.randint(1, 12):02d}-15T{generator.randint(5, 22):02d}:30"
    if field.type == "string":
        return generator.choice(field.allowed or ("other",))
    low = field.minimum if field.minimum is not None else 0.0
    high = field.maximum if field.maximum is not None else 1000.0
    value = generator.uniform(low, high)
    return int(value) if field.type == "integer" else round(value, 2)
