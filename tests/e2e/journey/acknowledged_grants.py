"""Grants of the data pipeline that the journey does not use, each with its reason."""

from __future__ import annotations

from tests.e2e.journey.grants import Acknowledgement

ANY = "*"
MACHINE = "RunRole*"
KEY = "S3 and DynamoDB use the environment's key for the caller; the embedded AWS checks no keys."
OWN_LOGS = "Lambda itself writes a function's log as its role; the embedded AWS does so as itself."
VENDED = "Step Functions delivers logs and traces of a machine with them, which is not emulated."
SIDE = "Step Functions follows, stops or finds a job with it; the embedded AWS needs it in part."
CATALOGUE = "AWS asks for catalog, database and table; the embedded AWS checks the database alone."
CUT_SHORT = (
    "An upload in parts is taken back only when it fails; AWS's clients do so by themselves."
)

ACKNOWLEDGED = [
    Acknowledgement(ANY, "kms:*", ANY, KEY),
    Acknowledgement("Run[BDF]*", "logs:*", ANY, OWN_LOGS),
    Acknowledgement(ANY, "s3:AbortMultipartUpload", ANY, CUT_SHORT),
    Acknowledgement(
        "Run[BDF]*",
        "s3:ListBucket",
        ANY,
        "With it S3 says of a missing object that it is missing; reads of the journey find theirs.",
    ),
    Acknowledgement(MACHINE, "logs:*", "*", VENDED),
    Acknowledgement(MACHINE, "xray:*", "*", VENDED),
    Acknowledgement(
        MACHINE,
        "lambda:InvokeFunction",
        "*:$LATEST",
        "CDK names a function with and without its version; the machine calls it without.",
    ),
    Acknowledgement(MACHINE, "glue:GetJobRuns", ANY, SIDE),
    Acknowledgement(MACHINE, "glue:BatchStopJobRun", ANY, SIDE),
    Acknowledgement(MACHINE, "emr-serverless:CancelJobRun", ANY, SIDE),
    Acknowledgement(MACHINE, "events:*", "*:rule/StepFunctions*", SIDE),
    Acknowledgement(
        "TransformRole*",
        "cloudwatch:PutMetricData",
        "*",
        "Glue puts a job's metrics as its role; the embedded AWS collects no metrics of Spark.",
    ),
    Acknowledgement(
        "TransformRole*",
        "logs:AssociateKmsKey",
        ANY,
        "Glue encrypts the log groups that it makes; the embedded AWS encrypts none.",
    ),
    Acknowledgement(
        "EmrTransformRole*",
        "logs:Describe*",
        ANY,
        "EMR Serverless looks for group and stream before it writes; the embedded AWS just writes.",
    ),
    Acknowledgement(
        "*TransformRole*",
        "s3:ListBucket",
        "*bucketsanalytics*",
        "With it S3 says of a missing object that it is missing; the job asks for one by name.",
    ),
    Acknowledgement(
        "EmrTransformRole*",
        "sagemaker:*Record",
        "*:feature-group/*",
        "The run on Glue wrote the records that were due; a run of the same batch has none.",
    ),
    Acknowledgement(
        "EmrTransformRole*",
        "s3:PutObject",
        "*/labels/*",
        "The outcomes of the batch were told by the run on Glue; what is there is not told again.",
    ),
    Acknowledgement(
        "RunDatasetPublication*",
        "s3:GetObject",
        "*/datasets/*",
        "A version whose files may be expiring is looked at whole; none expires in the journey.",
    ),
    Acknowledgement(
        "*TransformRole*",
        "s3:*",
        "*/runs/*",
        "A run whose step was repeated reads and replaces its own report; none is repeated here.",
    ),
    Acknowledgement(
        "*TransformRole*",
        "s3:*",
        "*/quarantine/*",
        "What a run quarantines depends on the data; one engine may meet no broken record.",
    ),
    Acknowledgement(
        "FeatureGroupsRole*",
        "s3:*",
        ANY,
        "SageMaker writes records that come one by one to the offline store; the job wrote all.",
    ),
    Acknowledgement("RunFollowUpRunCatalog*", "glue:*", "*:catalog", CATALOGUE),
    Acknowledgement("RunFollowUpRunCatalog*", "glue:*", "*:table/*", CATALOGUE),
    Acknowledgement(
        "RunFollowUpRunCatalog*",
        "glue:UpdateTable",
        ANY,
        "A dataset with another schema changes its table; the journey's data has one schema.",
    ),
    Acknowledgement(
        "RunFollowUpRunCatalog*",
        "dynamodb:BatchWriteItem",
        ANY,
        "Look-up rows of the version before the last are removed; the journey makes one version.",
    ),
    Acknowledgement("DatasetRetention*", "logs:*", ANY, OWN_LOGS),
    Acknowledgement("DatasetRetention*", "glue:*", "*:catalog", CATALOGUE),
    Acknowledgement("DatasetRetention*", "glue:*", "*:table/*", CATALOGUE),
    Acknowledgement(
        "RunFollowUpOutcomeJoi*",
        "*",
        ANY,
        "It joins outcomes to predictions that await theirs; the last ingestion may meet none.",
    ),
]
