"""SageMaker's documents: kept, listed, paged, presented; archives that depend on content alone."""

from __future__ import annotations

import datetime
import os
import tarfile

import pytest

from localcloud.registry import ServiceError
from localcloud.sagemaker.layout import ContainerFolder
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.metrics import MetricScraper
from localcloud.sagemaker.presentation import present
from localcloud.sagemaker.scope import Scope
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.transfer import TransferError, location, pack, unpack
from localcloud.service_model import service_model

HERE = Scope("000000000000", "us-east-1")


def test_documents_survive_in_the_folder(tmp_path):
    Store(tmp_path).add(HERE, "model", "m", {"A": 1})
    again = Store(tmp_path)
    assert again.find(HERE, "model", "m") == {"A": 1}
    assert again.find(Scope("111111111111", "us-east-1"), "model", "m") is None
    assert not again.add(HERE, "model", "m", {"A": 2})
    assert again.remove(HERE, "model", "m")
    assert Store(tmp_path).all(HERE, "model") == []


def test_a_copy_does_not_change_what_is_stored(tmp_path):
    store = Store(tmp_path)
    store.add(HERE, "model", "m", {"A": [1]})
    found = store.get(HERE, "model", "m", "missing")
    found["A"].append(2)
    assert store.find(HERE, "model", "m") == {"A": [1]}
    with pytest.raises(ServiceError, match="missing"):
        store.get(HERE, "model", "other", "missing")


def test_a_change_after_deletion_does_not_bring_a_document_back(tmp_path):
    store = Store(tmp_path)
    store.change(HERE, "model", "m", A=1)
    assert store.find(HERE, "model", "m") is None


def documents():
    return [
        {"N": f"job-{n}", "S": "Failed" if n % 2 else "Done", "CreationTime": n} for n in range(5)
    ]


def listed(**request):
    found, token = page(documents(), request, name="N", status="S", fields=("N",))
    return [d["N"] for d in found], token


def test_lists_are_newest_first_and_paged():
    first, token = listed(MaxResults=2)
    assert first == ["job-4", "job-3"]
    assert listed(MaxResults=3, NextToken=token) == (["job-2", "job-1", "job-0"], None)


def test_lists_are_filtered_by_name_status_and_time():
    assert listed(NameContains="JOB-3")[0] == ["job-3"]
    assert listed(StatusEquals="Failed", SortOrder="Ascending")[0] == ["job-1", "job-3"]
    moment = datetime.datetime.fromtimestamp(2, datetime.UTC)
    assert listed(CreationTimeAfter=moment)[0] == ["job-4", "job-3"]
    with pytest.raises(ServiceError, match="NextToken"):
        listed(NextToken="!")


def test_an_answer_has_times_as_times_and_nothing_that_its_shape_lacks():
    shape = service_model("sagemaker").operation_model("DescribeModel").output_shape
    told = present(shape, {"ModelName": "m", "CreationTime": 0.5, "Plan": {}, "ModelArn": None})
    moment = datetime.datetime.fromtimestamp(0.5, datetime.UTC)
    assert told == {"ModelName": "m", "CreationTime": moment}


def test_the_last_value_of_each_metric_is_kept():
    scraper = MetricScraper([{"Name": "auc", "Regex": "auc=([0-9.]+)"}])
    for line in ("auc=0.5", "nothing", "auc=0.75", "auc=..."):
        scraper.read(line)
    assert [(m["MetricName"], m["Value"]) for m in scraper.final()] == [("auc", 0.75)]


def test_the_same_content_packs_to_the_same_bytes(tmp_path):
    for name, when in (("one", 1), ("two", 2)):
        folder = tmp_path / name
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "f").write_text("x")
        os.utime(folder / "deep" / "f", (when, when))
        pack(folder, tmp_path / f"{name}.tar.gz")
    first, second = ((tmp_path / f"{n}.tar.gz").read_bytes() for n in ("one", "two"))
    assert first == second
    unpack(tmp_path / "one.tar.gz", tmp_path / "out")
    assert (tmp_path / "out/deep/f").read_text() == "x"


def test_an_archive_cannot_leave_its_folder(tmp_path):
    (tmp_path / "f").write_text("x")
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "f", "../outside")
    with pytest.raises(TransferError, match="cannot be unpacked"):
        unpack(tmp_path / "evil.tar.gz", tmp_path / "out")


def test_a_location_that_is_not_s3_is_refused():
    assert location("s3://b/k/x") == ("b", "k/x")
    with pytest.raises(TransferError, match="not an S3 URI"):
        location("https://b/k")


def test_container_paths_stay_in_the_container(tmp_path):
    folder = ContainerFolder(tmp_path / "ml")
    assert folder.localised("/opt/ml/model") == str(tmp_path / "ml/model")
    assert folder.localised("/opt/mlx") == "/opt/mlx"
    with pytest.raises(ValueError, match="leaves"):
        folder.at("/opt/ml/../etc")
