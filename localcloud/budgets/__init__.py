"""Budgets: the resource type of CloudFormation; the service itself is ministack's."""
