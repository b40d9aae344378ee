"""Least privilege, measured: what a role of the data pipeline holds was used, or is argued for.

Runs last of the journey: it looks at the decisions that all the others caused.
"""

from __future__ import annotations

from tests.e2e.journey.acknowledged_grants import ACKNOWLEDGED
from tests.e2e.journey.grants import all_grants, unused

MIN_REASON_WORDS = 5


def test_every_grant_was_used_or_is_acknowledged_with_a_reason(bare_platform):
    grants = all_grants(bare_platform)
    never_used = unused(bare_platform)
    assert len(never_used) < len(grants)

    unexplained = [g for g in sorted(never_used) if not any(a.covers(g) for a in ACKNOWLEDGED)]
    assert unexplained == [], "\n".join(map(str, unexplained))


def test_no_acknowledgement_has_outlived_its_grant(bare_platform):
    grants = all_grants(bare_platform)
    stale = [a for a in ACKNOWLEDGED if not any(a.covers(grant) for grant in grants)]
    assert stale == [], "\n".join(map(str, stale))
    assert all(len(a.reason.split()) >= MIN_REASON_WORDS for a in ACKNOWLEDGED)
