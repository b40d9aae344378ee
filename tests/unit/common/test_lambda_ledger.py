"""The ledger's chain: any history verifies, any change to one does not."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.ledger import BrokenChainError, next_record, verify_chain
from tests.unit.common.fakes import FakeLedger

TEXT = st.text(max_size=12)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "event_type": TEXT,
            "actor": TEXT,
            "reason": TEXT,
            "subject": TEXT,
            "evidence": st.dictionaries(TEXT, TEXT, max_size=3),
        }
    ),
    min_size=1,
    max_size=6,
)
CHANGEABLE = ("event_type", "actor", "reason", "subject", "at", "token", "chain")


def chain_of(entries):
    records = []
    for number, entry in enumerate(entries):
        head = records[-1] if records else None
        records.append(next_record("demo", head, {**entry, "token": f"t{number}"}, f"at {number}"))
    return records


@given(ENTRIES)
def test_every_history_verifies(entries):
    assert verify_chain(chain_of(entries)) == len(entries)


@given(ENTRIES, st.data())
def test_no_field_of_any_record_can_change_unseen(entries, data):
    records = chain_of(entries)
    number = data.draw(st.integers(0, len(records) - 1))
    name = data.draw(st.sampled_from(CHANGEABLE))
    records[number][name] += "x"

    with pytest.raises(BrokenChainError):
        verify_chain(records)


@given(ENTRIES, st.data())
def test_a_forged_digest_breaks_the_next_record(entries, data):
    records = chain_of([*entries, entries[0]])
    number = data.draw(st.integers(0, len(records) - 2))
    head = records[number - 1] if number else None
    forged = {**copy.deepcopy(records[number]), "reason": records[number]["reason"] + "x"}
    records[number] = next_record("demo", head, forged, forged["at"])

    with pytest.raises(BrokenChainError, match=f"Record {number + 2} "):
        verify_chain(records)


@given(ENTRIES, st.data())
def test_no_record_can_be_taken_out_but_the_last(entries, data):
    records = chain_of([*entries, entries[0]])
    records.pop(data.draw(st.integers(0, len(records) - 2)))

    with pytest.raises(BrokenChainError):
        verify_chain(records)


@given(ENTRIES)
def test_the_order_of_evidence_does_not_matter(entries):
    record = chain_of(entries)[-1]
    record["evidence"] = dict(reversed(record["evidence"].items()))

    assert verify_chain([*chain_of(entries)[:-1], record]) == len(entries)


def test_a_token_is_recorded_once():
    ledger = FakeLedger()
    entry = {
        "event_type": "e",
        "actor": "a",
        "reason": "r",
        "subject": "s",
        "evidence": {},
        "token": "t",
    }

    assert ledger.append(entry) == ledger.append({**entry, "reason": "another"})
    assert len(ledger.records) == 1
