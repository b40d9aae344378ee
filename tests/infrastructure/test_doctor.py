"""The doctor's checks of templates, on the templates as they are."""

from __future__ import annotations

import pytest

from cli.assembly import read_assembly
from cli.doctor.examination import TEMPLATES
from stacks.config.__main__ import document
from stacks.config.environments import ENVIRONMENTS


@pytest.fixture
def assembled(synthesise):
    return lambda name: read_assembly(synthesise(name).folder, document(ENVIRONMENTS[name]))


@pytest.mark.parametrize("check", sorted(TEMPLATES))
@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_the_doctor_finds_nothing_in_our_templates(environment, check, assembled):
    (found,) = TEMPLATES[check](assembled(environment))

    assert found.state == "ok"


def test_the_doctor_knows_which_bootstrap_and_image_a_deployment_needs(assembled):
    assembly = assembled("prod")

    assert assembly.bootstrap_version >= 6
    assert assembly.images
