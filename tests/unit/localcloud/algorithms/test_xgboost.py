"""The XGBoost container: training, its log, its model, checkpoints, refusals and answers."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import xgboost

from localcloud.sagemaker.algorithms.container import UserError
from localcloud.sagemaker.algorithms.http_server import Request
from localcloud.sagemaker.algorithms.xgboost.serve import Model

BINARY = {"objective": "binary:logistic", "nthread": "1", "num_round": "3"}


@pytest.fixture
def data(opt, rows, csv):
    opt.channel("train", csv(rows[:400]))
    opt.channel("validation", csv(rows[400:]))
    return opt


def booster(opt):
    return xgboost.Booster(model_file=bytearray((opt.base / "model/xgboost-model").read_bytes()))


def test_the_model_is_what_the_library_trains(data, rows):
    data.train("xgboost", **BINARY, eta="0.2", max_depth="3")
    matrix = xgboost.DMatrix(rows[:400, 1:].astype(np.float32), label=rows[:400, 0])
    parameters = {"objective": "binary:logistic", "eta": 0.2, "max_depth": 3, "nthread": 1}
    twin = xgboost.train(parameters, matrix, num_boost_round=3)
    held_out = xgboost.DMatrix(rows[400:, 1:].astype(np.float32))
    assert booster(data).predict(held_out).tolist() == twin.predict(held_out).tolist()


def test_each_round_is_a_line_as_the_real_container_logs_it(data, capfd):
    data.train("xgboost", **BINARY, eval_metric="logloss,auc")
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("[")]
    assert len(lines) == 3
    first = r"\[0\]#011train-logloss:0\.\d{5}#011train-auc:0\.\d{5}#011validation-logloss:0\.\d{5}"
    assert lines[2].startswith("[2]#011train-logloss:")
    assert re.match(first + r"#011validation-auc:0\.\d{5}$", lines[0])


def test_the_metric_of_a_tuning_job_is_printed_too(data, capfd):
    data.train("xgboost", **BINARY, _tuning_objective_metric="validation:auc")
    assert "#011validation-auc:" in capfd.readouterr().out


@pytest.mark.parametrize("content_type", ["application/x-parquet", "text/libsvm"])
def test_other_content_types_give_the_same_model(opt, data, rows, content_type):
    data.train("xgboost", **BINARY)
    trained = booster(data).save_raw("json")
    opt.channel("train", written(rows[:400], content_type), content_type)
    opt.channel("validation", written(rows[400:], content_type), content_type)
    opt.train("xgboost", **BINARY)
    assert booster(opt).save_raw("json") == trained


def written(table, content_type):
    if content_type == "text/libsvm":
        lines = (
            " ".join([f"{row[0]:g}", *(f"{i}:{v!r}" for i, v in enumerate(row[1:]))])
            for row in table.tolist()
        )
        return "\n".join(lines).encode()
    target = io.BytesIO()
    columns = {f"c{i}": column for i, column in enumerate(table.T)}
    pyarrow.parquet.write_table(pa.table(columns), target)
    return target.getvalue()


def test_training_resumes_from_its_newest_readable_checkpoint(data, capfd):
    folder = data.base / "checkpoints"
    data.configure("checkpointconfig", {"LocalPath": str(folder)})
    data.train("xgboost", **{**BINARY, "num_round": "7"})
    assert sorted(file.name for file in folder.iterdir()) == [
        f"xgboost-checkpoint.{number}" for number in range(2, 7)
    ]
    whole = booster(data).save_raw("json")
    for number in (5, 6):
        (folder / f"xgboost-checkpoint.{number}").unlink()
    (folder / "xgboost-checkpoint.4").write_bytes(b"cut off")
    capfd.readouterr()
    data.train("xgboost", **{**BINARY, "num_round": "7"})
    out = capfd.readouterr().out
    assert "Resuming from iteration 4" in out
    assert "[3]#011" not in out
    assert "[4]#011train-logloss" in out
    assert booster(data).save_raw("json") == whole


def test_early_stopping_ends_the_training(data):
    data.train("xgboost", **{**BINARY, "num_round": "300"}, eta="1", early_stopping_rounds="2")
    model = booster(data)
    assert model.num_boosted_rounds() == int(model.attr("best_iteration")) + 3 < 300


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"num_round": "0"}, r"num_round: '0' must be an integer in \[1, inf\)"),
        ({"eta": "2"}, r"eta: '2' must be a number in \[0, 1\]"),
        ({"subsample": "0"}, r"subsample: '0' must be a number in \(0, 1\]"),
        ({"max_depth": "deep"}, "max_depth: 'deep' must be an integer"),
        ({"objective": "binary:magic"}, "objective: 'binary:magic' must be one of"),
        ({"eval_metric": "auc,beauty"}, "eval_metric: 'auc,beauty' must be of"),
        ({"colour": "red"}, "Extraneous hyperparameter found: colour"),
        ({"objective": "multi:softmax"}, "num_class"),
        ({"objective": "reg:squarederror", "eval_metric": "auc"}, "classification and ranking"),
        ({"tree_method": "gpu_hist"}, "no GPU"),
        ({"predictor": "cpu_predictor"}, "no longer has it"),
    ],
)
def test_a_wrong_hyperparameter_is_named_with_what_is_allowed(data, given, reason):
    with pytest.raises(UserError, match=reason):
        data.train("xgboost", **{**BINARY, **given})


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        (b"label,size\n1,2\n", "text/csv", "column 0 holds string values.*without a header"),
        (b"1\n0\n", "text/csv", "one column"),
        (b"1,2\n1,2,3\n", "text/csv", "cannot be read as text/csv"),
        (b"PAR1", "application/x-parquet", "cannot be read as application/x-parquet"),
        (b"1,2", "text/html", "'text/html' is not supported"),
    ],
)
def test_wrong_data_is_refused_with_its_place(opt, content, content_type, reason):
    opt.channel("train", content, content_type)
    with pytest.raises(UserError, match=reason):
        opt.train("xgboost", **BINARY)


def test_the_server_answers_csv_json_and_lines_with_the_librarys_scores(data, rows, csv):
    data.train("xgboost", **BINARY)
    model = Model(booster(data))
    body = csv(rows[400:402, 1:])
    expected = booster(data).predict(xgboost.DMatrix(rows[400:402, 1:].astype(np.float32)))
    plain = model.answer(Request(body, "text/csv", ""))
    assert [np.float32(x) for x in plain.body.split()] == expected.tolist()
    told = json.loads(model.answer(Request(body, "text/csv", "application/json")).body)
    assert told == {"predictions": [{"score": float(score)} for score in expected]}
    lines = model.answer(Request(body, "text/csv", "application/jsonlines")).body.splitlines()
    assert [json.loads(line) for line in lines] == told["predictions"]


def test_the_server_refuses_rows_of_another_width(data):
    data.train("xgboost", **BINARY)
    with pytest.raises(UserError, match=r"Feature size of inference data 2 is not .* 3"):
        Model(booster(data)).answer(Request(b"1,2", "text/csv", ""))
