"""AWS's own training images by region; a test holds them against the `sagemaker` SDK."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class _Accounts(NamedTuple):
    """The accounts of one region that own the images."""

    frameworks: str
    algorithms: str


class Repository(NamedTuple):
    """One image: its repository, its tag, and which of a region's accounts owns it."""

    name: str
    tag: str
    owner: str


REPOSITORIES: Mapping[str, Repository] = MappingProxyType(
    {
        "xgboost": Repository("sagemaker-xgboost", "1.7-1", "frameworks"),
        "linear-learner": Repository("linear-learner", "1", "algorithms"),
        "sklearn": Repository("sagemaker-scikit-learn", "1.2-1-cpu-py3", "frameworks"),
    }
)
"""By the name that a member's `algorithm` has in the training configuration."""

REGISTRIES: Mapping[str, _Accounts] = MappingProxyType(
    {
        "us-east-1": _Accounts("683313688378", "382416733822"),
        "us-east-2": _Accounts("257758044811", "404615174143"),
        "us-west-1": _Accounts("746614075791", "632365934929"),
        "us-west-2": _Accounts("246618743249", "174872318107"),
        "ca-central-1": _Accounts("341280168497", "469771592824"),
        "eu-central-1": _Accounts("492215442770", "664544806723"),
        "eu-west-1": _Accounts("141502667606", "438346466558"),
        "eu-west-2": _Accounts("764974769150", "644912444149"),
        "eu-west-3": _Accounts("659782779980", "749696950732"),
        "eu-north-1": _Accounts("662702820516", "669576153137"),
        "eu-south-1": _Accounts("978288397137", "257386234256"),
        "ap-northeast-1": _Accounts("354813040037", "351501993468"),
        "ap-northeast-2": _Accounts("366743142698", "835164637446"),
        "ap-south-1": _Accounts("720646828776", "991648021394"),
        "ap-southeast-1": _Accounts("121021644041", "475088953585"),
        "ap-southeast-2": _Accounts("783357654285", "712309505854"),
        "sa-east-1": _Accounts("737474898029", "855470959533"),
    }
)
"""By region; a training that needs one of the images works in these regions."""


def image_uri(algorithm: str, region: str) -> str:
    """Give the address of an algorithm's image in a region."""
    repository = REPOSITORIES[algorithm]
    account = getattr(REGISTRIES[region], repository.owner)
    return f"{account}.dkr.ecr.{region}.amazonaws.com/{repository.name}:{repository.tag}"
