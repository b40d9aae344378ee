"""When a stage is entered: only where the push changed something that the stage is for."""

from __future__ import annotations

from aws_cdk import aws_codepipeline as codepipeline

from pipeline_code.build_pipeline.contract import CHANGE_NAMESPACE


def skipped_unless(variable: str) -> codepipeline.Conditions:
    """Skip a stage unless the build has put out `true` under this name."""
    rule = codepipeline.Rule(
        name=f"Only{variable.title().replace('_', '')}",
        provider="VariableCheck",
        version="1",
        configuration={
            "Variable": f"#{{{CHANGE_NAMESPACE}.{variable}}}",
            "Operator": "EQ",
            "Value": "true",
        },
    )
    return codepipeline.Conditions(
        conditions=[codepipeline.Condition(result=codepipeline.Result.SKIP, rules=[rule])]
    )
