"""Arrival: which months a file covers, what is a complete batch, and what is still awaited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.data_pipeline.collect_batch.completeness import SourceRules, longest_run, select
from lambdas.data_pipeline.collect_batch.periods import month_text, months_of

MONTHLY = ("sales", "weather")
RULES = SourceRules([*MONTHLY, "shops"], ["promotions"], "code-1", 0, MONTHLY)


def file(source: str, name: str):
    return {
        "source": source,
        "key": f"landing/{source}/{name}",
        "version_id": "v",
        "size_bytes": 1,
        "etag": "e",
        "arrived_at": "2026-01-01T00:00:00+00:00",
    }


def months(*names: str):
    return [file(source, f"{source}-{name}.csv") for source in MONTHLY for name in names]


SHOPS = file("shops", "shops.csv")


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("sales-2013-01.csv.gz", ["2013-01"]),
        ("2013-12.csv", ["2013-12"]),
        ("sales_2013-01..2013-03.csv", ["2013-01", "2013-02", "2013-03"]),
        ("2012-12..2013-01.csv", ["2012-12", "2013-01"]),
        ("sales-2013.csv", [f"2013-{month:02d}" for month in range(1, 13)]),
        ("sales-v2-2013-01.csv", ["2013-01"]),
        ("sales.csv", []),
        ("sales-2013-13.csv", []),
        ("sales-2013-01-15.csv", []),
        ("sales-2013-01-and-2013-02.csv", []),
        ("sales-2013-03..2013-01.csv", []),
        ("sales-20130115.csv", []),
    ],
)
def test_a_file_covers_the_months_that_its_name_says_without_doubt(name, covered):
    assert [month_text(month) for month in sorted(months_of(name))] == covered


def test_the_longest_complete_run_of_months_is_the_batch_with_the_references():
    landed = [SHOPS, *months("2013-01", "2013-03", "2013-04"), file("weather", "w-2013-02.csv")]

    chosen = select(landed, RULES)

    assert chosen.periods == ["2013-03", "2013-04"]
    assert {entry["key"] for entry in chosen.objects} == {
        "landing/shops/shops.csv",
        *(f"landing/{s}/{s}-2013-{m}.csv" for s in MONTHLY for m in ("03", "04")),
    }
    assert chosen.waiting_for == [{"source": "sales", "period": "2013-02"}]


def test_nothing_runs_until_every_source_has_something():
    chosen = select(months("2013-01"), RULES)

    assert not chosen.is_complete
    assert chosen.waiting_for == [{"source": "shops", "period": ""}]


def test_a_source_of_which_nothing_came_is_awaited_once_and_not_by_month():
    landed = [SHOPS, file("sales", "2013-01.csv"), file("sales", "2013-02.csv")]

    assert select(landed, RULES).waiting_for == [{"source": "weather", "period": ""}]


def test_months_that_never_meet_are_all_awaited():
    landed = [SHOPS, file("sales", "2013-01.csv"), file("weather", "2013-02.csv")]

    chosen = select(landed, RULES)

    assert not chosen.is_complete
    assert chosen.waiting_for == [
        {"source": "sales", "period": "2013-02"},
        {"source": "weather", "period": "2013-01"},
    ]


def test_a_file_of_a_year_waits_for_all_of_its_months():
    landed = [SHOPS, file("sales", "2013.csv"), *(file("weather", f"2013-0{m}.csv") for m in "123")]

    chosen = select(landed, RULES)

    assert not chosen.is_complete
    assert [each["period"] for each in chosen.waiting_for] == [
        f"2013-{month:02d}" for month in range(4, 13)
    ]


def test_a_file_of_a_year_and_files_of_months_are_the_same_run():
    landed = [SHOPS, file("sales", "2013.csv"), file("weather", "2013-01..2013-06.csv")]
    landed += [file("weather", f"2013-{month:02d}.csv") for month in range(7, 13)]

    assert select(landed, RULES).periods == ["2013-01", "2013-12"]


def test_what_is_no_file_of_a_declared_source_or_says_no_month_is_reported():
    strange = [file("shoes", "a.csv"), file("sales", "notes.txt"), file("", "loose.csv")]
    landed = [SHOPS, *months("2013-01"), *strange, file("promotions", "any.csv")]

    chosen = select(landed, RULES)

    assert chosen.is_complete
    assert "landing/promotions/any.csv" in {entry["key"] for entry in chosen.objects}
    reasons = {each["key"]: each["reason"] for each in chosen.unrecognised}
    assert set(reasons) == {entry["key"] for entry in strange}
    assert "its sources are sales, weather, shops, promotions" in reasons["landing/shoes/a.csv"]
    assert "which months it covers" in reasons["landing/sales/notes.txt"]


@given(
    st.permutations([SHOPS, file("sales", "x.csv"), *months("2013-01", "2013-02", "2013-04")]),
    st.integers(0, 8),
)
def test_the_batch_follows_from_what_landed_in_whatever_order(landed, count):
    some = landed[:count]

    assert _told(select(some, RULES)) == _told(select(some[::-1], RULES))


@given(
    st.lists(st.frozensets(st.integers(0, 6), min_size=1), max_size=5),
    st.lists(st.frozensets(st.integers(0, 6), min_size=1), max_size=5),
)
def test_the_longest_run_is_what_trying_every_run_finds(first, second):
    files = {"a": first, "b": second}
    every = frozenset().union(*first, *second)
    runs = [frozenset(range(low, high + 1)) for low in range(7) for high in range(low, 7)]
    fitting = [
        run
        for run in runs
        if all(frozenset().union(*(f for f in each if f <= run)) == run for each in files.values())
    ]
    best = max(fitting, key=lambda run: (len(run), max(run)), default=frozenset())

    assert longest_run(files, every) == best


def _told(selection):
    return (
        sorted(entry["key"] for entry in selection.objects),
        selection.periods,
        sorted(selection.waiting_for, key=str),
        selection.unrecognised,
    )
