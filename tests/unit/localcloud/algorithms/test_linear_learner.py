"""The Linear Learner container: fits, artefact, inputs, log lines, refusals and answers."""

from __future__ import annotations

import json
import re
import struct
import zipfile

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score

from localcloud.sagemaker.algorithms import recordio
from localcloud.sagemaker.algorithms.container import UserError
from localcloud.sagemaker.algorithms.http_server import Request
from localcloud.sagemaker.algorithms.linear_learner.artefact import LinearModel
from localcloud.sagemaker.algorithms.linear_learner.quality import best_threshold, quality
from localcloud.sagemaker.algorithms.linear_learner.serve import Model

BINARY = {"predictor_type": "binary_classifier", "mini_batch_size": "100", "epochs": "40"}
FLOAT32_TENSOR = (
    ("values", 1, "FLOAT", True),
    ("keys", 2, "UINT64", True),
    ("shape", 3, "UINT64", True),
)


@pytest.fixture
def data(opt, rows, csv):
    opt.channel("train", csv(rows[:400]))
    opt.channel("validation", csv(rows[400:]))
    return opt


def model_of(opt):
    return LinearModel.load(opt.base / "model")


def test_a_classifier_ranks_as_logistic_regression_does(data, rows):
    data.train("linear_learner", **BINARY)
    model = model_of(data)
    raw = rows[400:, 1:] @ model.weight[0] + model.bias[0]
    scaled = (rows[:, 1:] - rows[:400, 1:].mean(axis=0)) / rows[:400, 1:].std(axis=0)
    peer = LogisticRegression().fit(scaled[:400], rows[:400, 0])
    expected = roc_auc_score(rows[400:, 0], peer.decision_function(scaled[400:]))
    assert abs(roc_auc_score(rows[400:, 0], raw) - expected) < 0.01


def test_a_regressor_finds_the_least_squares(data, opt, rows, csv):
    target = rows[:, 1:] @ [2.0, 0.03, -100.0] + 7
    table = np.column_stack([target, rows[:, 1:]])
    for channel in ("train", "validation"):
        opt.channel(channel, csv(table))
    opt.train(
        "linear_learner", predictor_type="regressor", mini_batch_size="50", epochs="60",
        learning_rate="0.05", early_stopping_patience="60",
    )  # fmt: skip
    model, peer = model_of(opt), LinearRegression().fit(rows[:, 1:], target)
    predicted = rows[:, 1:] @ model.weight[0] + model.bias[0]
    assert np.abs(predicted - peer.predict(rows[:, 1:])).max() < 0.05 * target.std()


def test_several_classes_are_told_apart(opt, csv):
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 300)
    features = np.eye(3)[labels] * 4 + random.normal(size=(300, 3))
    opt.channel("train", csv(np.column_stack([labels, features])))
    opt.train(
        "linear_learner", predictor_type="multiclass_classifier", num_classes="3",
        mini_batch_size="50",
    )  # fmt: skip
    answer = Model(model_of(opt)).answer(Request(csv(features[:50]), "text/csv", ""))
    told = json.loads(answer.body)["predictions"]
    assert np.mean([t["predicted_label"] for t in told] == labels[:50]) > 0.9
    assert all(abs(sum(t["score"]) - 1) < 1e-9 for t in told)


def test_the_same_data_gives_the_same_file(data):
    data.train("linear_learner", **BINARY)
    first = (data.base / "model/model_algo-1").read_bytes()
    data.train("linear_learner", **BINARY)
    assert (data.base / "model/model_algo-1").read_bytes() == first


def test_the_artefact_is_laid_out_as_mxnet_reads_it(data):
    data.train("linear_learner", **BINARY)
    with zipfile.ZipFile(data.base / "model/model_algo-1") as archive:
        assert set(archive.namelist()) == {
            *("mx-mod-symbol.json", "mx-mod-0000.params"),
            *("additional-params.json", "manifest.json"),
        }
        symbol = json.loads(archive.read("mx-mod-symbol.json"))
        content = archive.read("mx-mod-0000.params")
    assert [node["op"] for node in symbol["nodes"] if node["op"] != "null"] == [
        *("FullyConnected", "LogisticRegressionOutput"),
    ]
    # Two arrays: 1 x 3 weights, then 1 bias; 32-bit floats of the CPU.
    assert struct.unpack_from("<QQQ", content) == (0x112, 0, 2)
    assert struct.unpack_from("<Iii2q3i", content, 24) == (0xF993FAC9, 0, 2, 1, 3, 1, 0, 0)
    weight = struct.unpack_from("<3f", content, 24 + 12 + 16 + 12)
    assert weight == tuple(model_of(data).weight[0].tolist())
    assert content.endswith(struct.pack("<Q", 12) + b"arg:fc0_bias")


def test_the_log_tells_quality_in_the_lines_of_the_real_algorithm(data, capsys):
    data.train("linear_learner", **{**BINARY, "epochs": "2"})
    log = capsys.readouterr().out
    for expected in (
        r"#quality_metric: host=algo-1, epoch=0, train "
        r"binary_classification_cross_entropy_objective <loss>=0\.\d+",
        r"#quality_metric: host=algo-1, epoch=1, validation "
        r"binary_classification_cross_entropy_objective <loss>=0\.\d+",
        r"#quality_metric: host=algo-1, validation binary_classification_accuracy <score>=0\.\d+",
        r"#progress_metric: host=algo-1, completed 100 % of epochs",
    ):
        assert re.search(expected, log), expected


def record_class():
    """Build the message class of SageMaker's records with the real protobuf library."""
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", package="aialgs", syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto

    def message(name, *fields):
        made = file.message_type.add(name=name)
        for field, number, kind, many in fields:
            label = kinds.LABEL_REPEATED if many else kinds.LABEL_OPTIONAL
            added = made.field.add(name=field, number=number, label=label)
            if kind in ("FLOAT", "UINT64", "STRING"):
                added.type = getattr(kinds, f"TYPE_{kind}")
            else:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".aialgs.{kind}"
            added.options.packed = many and kind in ("FLOAT", "UINT64")

    message("Tensor", *FLOAT32_TENSOR)
    message("Value", ("float32_tensor", 2, "Tensor", False))
    message("Entry", ("key", 1, "STRING", False), ("value", 2, "Value", False))
    message("Record", ("features", 1, "Entry", True), ("label", 2, "Entry", True))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.Record"))


def recordio_bytes(table, *, sparse=False):
    record_type, content = record_class(), b""
    for label, *features in table.tolist():
        record = record_type()
        tensor = record.features.add(key="values").value.float32_tensor
        if sparse:
            tensor.keys.extend([i for i, v in enumerate(features) if v])
            tensor.values.extend([v for v in features if v])
            tensor.shape.append(len(features))
        else:
            tensor.values.extend(features)
        record.label.add(key="values").value.float32_tensor.values.append(label)
        message = record.SerializeToString()
        padding = b"\0" * (-len(message) % 4)
        content += struct.pack("<II", 0xCED7230A, len(message)) + message + padding
    return content


@pytest.mark.parametrize("sparse", [False, True])
def test_recordio_protobuf_gives_the_model_that_csv_gives(data, opt, rows, sparse):
    data.train("linear_learner", **BINARY)
    first = model_of(data)
    kind = "application/x-recordio-protobuf"
    opt.channel("train", recordio_bytes(rows[:400], sparse=sparse), kind)
    opt.channel("validation", recordio_bytes(rows[400:], sparse=sparse), kind)
    opt.train("linear_learner", **BINARY)
    assert model_of(opt).weight.tolist() == first.weight.tolist()


@pytest.mark.parametrize(
    "content", [b"", b"1,2,3", struct.pack("<II", 0xCED7230A, 90) + b"x", b"\x0a\x23"]
)
def test_broken_recordio_is_refused(content):
    with pytest.raises(recordio.MalformedRecordError):
        recordio.read(content)


def test_the_threshold_is_the_one_that_serves_the_criterion():
    scores = np.array([0.1, 0.3, 0.3, 0.8, 0.9])
    labels = np.array([0, 0, 1, 1, 1])
    values = {"loss": "logistic", "f_beta": 1.0}
    found = {
        word: best_threshold(
            scores, labels, {**values, "binary_classifier_model_selection_criteria": word}
        )
        for word in ("accuracy", "f1", "loss_function")
    }
    assert found == {"accuracy": 0.8, "f1": 0.3, "loss_function": 0.5}


def test_the_measured_auc_is_sklearns_with_ties():
    random = np.random.default_rng(3)
    scores, labels = random.integers(0, 9, 200) / 9, random.integers(0, 2, 200)
    measured = quality("binary_classifier", scores[:, None], labels, 0.5, 1.0)["roc_auc_score"]
    assert measured == ("score", pytest.approx(roc_auc_score(labels, scores)))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"predictor_type": "clusterer"}, "predictor_type: 'clusterer' must be one of"),
        ({"feature_dim": "4"}, "feature_dim is 4, but channel train has 3 features"),
        ({"num_classes": "3"}, "num_classes does not belong to a binary_classifier"),
        ({"loss": "squared_loss"}, "loss: of a binary_classifier must be one of logistic"),
        ({"learning_rate": "0"}, r"learning_rate: '0' must be a number in \(0, inf\) or auto"),
        ({"target_recall": "0.9"}, "has no target_recall"),
        ({"predictor_type": "multiclass_classifier"}, "num_classes is required"),
    ],
)
def test_a_wrong_hyperparameter_is_named(data, given, reason):
    with pytest.raises(UserError, match=reason):
        data.train("linear_learner", **{**BINARY, **given})


def test_a_label_that_no_class_has_is_named(opt):
    opt.channel("train", b"0,1\n2,1\n")
    with pytest.raises(UserError, match="label 2; labels of a binary_classifier are 0 to 1"):
        opt.train("linear_learner", **BINARY)


def test_the_server_answers_csv_and_json_alike(data, rows, csv):
    data.train("linear_learner", **BINARY)
    model = Model(model_of(data))
    from_csv = json.loads(model.answer(Request(csv(rows[:3, 1:]), "text/csv", "")).body)
    instances = [{"features": row} for row in rows[:3, 1:].tolist()]
    body = json.dumps({"instances": instances}).encode()
    assert json.loads(model.answer(Request(body, "application/json", "")).body) == from_csv
    for each in from_csv["predictions"]:
        threshold = model_of(data).description.threshold
        assert each["predicted_label"] == int(each["score"] >= threshold)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"instances": [1]}', b'{"instances": [{"features": [1]}]}']
)
def test_the_server_refuses_what_it_cannot_score(data, body):
    data.train("linear_learner", **BINARY)
    with pytest.raises(UserError, match="request"):
        Model(model_of(data)).answer(Request(body, "application/json", ""))
