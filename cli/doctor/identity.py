"""Checks of the credentials: that there are some, that AWS takes them, whose they are, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.findings import Account, Finding, fault, well

LARGEST_SKEW_SECONDS = 240
"""AWS refuses signatures that are more than five minutes off."""
SKEWED = {"RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException"}
LOGIN = "Log in again (aws sso login), or choose a profile with --profile"

Now = Callable[[], datetime]


class Identity(NamedTuple):
    """What the check of the credentials came to."""

    account: Account | None
    findings: list[Finding]


def now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


def identify(session: boto3.Session, config: Mapping[str, Any], clock: Now = now) -> Identity:
    """Ask AWS who the caller is, and hold the answer against the configuration."""
    region = session.region_name or config.get("region")
    if region is None:
        remedy = "Give --region, or set one in the profile"
        return Identity(None, [fault("region", "neither profile nor option names one", remedy)])
    if region not in _regions(session) and not _own_endpoint(session):
        return Identity(None, [_unknown_region(session, str(region))])
    try:
        answer = session.client("sts", region_name=region).get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        return Identity(None, [_refused(error, clock)])
    account = Account(answer["Account"], str(region), session)
    findings = [
        *well("credentials", f"{answer['Arn']}"),
        *_clock(_skew(answer, clock)),
        *_pinned("account", config.get("account"), account.number),
        *_pinned("region", config.get("region"), account.region),
    ]
    return Identity(account, findings)


def _regions(session: boto3.Session) -> list[str]:
    return [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sts", partition)
    ]


def _own_endpoint(session: boto3.Session) -> bool:
    url = str(session.client("sts", region_name="us-east-1").meta.endpoint_url)
    return "amazonaws.com" not in url


def _unknown_region(session: boto3.Session, region: str) -> Finding:
    known = ", ".join(sorted(session.get_available_regions("sagemaker")))
    return fault("region", f"there is no region {region!r}", f"Take one of: {known}")


def _refused(error: Exception, clock: Now) -> Finding:
    """Say why AWS does not know the caller."""
    if not isinstance(error, ClientError):
        return fault("credentials", str(error), LOGIN)
    code = error.response["Error"]["Code"]
    skew = _skew(error.response, clock)
    if code in SKEWED and abs(skew) > LARGEST_SKEW_SECONDS:
        return _clock(skew)[0]
    if code in EXPIRED:
        return fault("credentials", "the session's credentials have expired", LOGIN)
    said = f"AWS does not take the credentials: {code}: {error.response['Error']['Message']}"
    return fault("credentials", said, LOGIN)


def _skew(answer: Mapping[str, Any], clock: Now) -> float:
    """Return how many seconds the machine is ahead of AWS."""
    date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    if not date:
        return 0.0
    return (clock() - parsedate_to_datetime(date)).total_seconds()


def _clock(skew: float) -> list[Finding]:
    if abs(skew) <= LARGEST_SKEW_SECONDS:
        return well("clock", f"{abs(skew):.0f} s from AWS's")
    direction = "fast" if skew > 0 else "slow"
    what = f"the machine's clock is {abs(skew):.0f} s {direction}; AWS refuses such signatures"
    return [fault("clock", what, "Set the clock, for example by NTP (timedatectl set-ntp true)")]


def _pinned(what: str, wanted: object, found: str) -> list[Finding]:
    if wanted is None or wanted == found:
        return well(what, found)
    remedy = f"Choose a profile of {what} {wanted}, or change `{what}` in environments.py"
    return [fault(what, f"the credentials are {what} {found}'s, the config says {wanted}", remedy)]
