"""A small CDK app that knows nothing of this repository: what somebody else would deploy."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

HERE = Path(__file__).parent


class SmallStack(cdk.Stack):
    """A bucket, a table, a function behind an API, and a workflow of a Glue and a SageMaker job."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        gone = cdk.RemovalPolicy.DESTROY
        self._bucket = s3.Bucket(self, "Bucket", enforce_ssl=True, removal_policy=gone)
        key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
        table = dynamodb.Table(self, "Table", partition_key=key, removal_policy=gone)
        self._function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="handler.lambda_handler",
            code=lambda_.Code.from_asset(str(HERE / "function")),
            environment={"TABLE": table.table_name, "BUCKET": self._bucket.bucket_name},
        )
        table.grant_read_write_data(self._function)
        self._bucket.grant_read_write(self._function)
        api = apigateway.LambdaRestApi(self, "Api", handler=self._function)
        workflow = self._workflow()
        outputs = {
            "BucketName": self._bucket.bucket_name,
            "TableName": table.table_name,
            "FunctionName": self._function.function_name,
            "FunctionRole": self._function.role.role_name,
            "ApiId": api.rest_api_id,
            "ApiStage": api.deployment_stage.stage_name,
            "WorkflowArn": workflow.state_machine_arn,
            "WorkflowRole": workflow.role.role_name,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)

    def _workflow(self) -> sfn.StateMachine:
        invoke = tasks.LambdaInvoke(
            self, "Check", lambda_function=self._function, result_path="$.checked"
        )
        trained = sfn.Map(self, "Train all", items_path="$.models")
        trained.item_processor(self._training_job())
        counted = sfn.Choice(self, "Count?").when(
            sfn.Condition.is_present("$.rows"), self._spark_job().next(trained)
        )
        chain = invoke.next(counted.otherwise(trained))
        return sfn.StateMachine(
            self, "Workflow", definition_body=sfn.DefinitionBody.from_chainable(chain)
        )

    def _spark_job(self) -> tasks.GlueStartJobRun:
        script = s3_assets.Asset(self, "Script", path=str(HERE / "glue" / "count_job.py"))
        role = iam.Role(self, "JobRole", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        logs = "arn:aws:logs:*:*:log-group:/aws-glue/*"
        actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[logs]))
        script.grant_read(role)
        self._bucket.grant_read_write(role)
        job = glue.CfnJob(
            self,
            "Job",
            role=role.role_arn,
            glue_version="5.1",
            worker_type="G.1X",
            number_of_workers=2,
            command={
                "name": "glueetl",
                "pythonVersion": "3",
                "scriptLocation": script.s3_object_url,
            },
            default_arguments={"--bucket": self._bucket.bucket_name},
        )
        return tasks.GlueStartJobRun(
            self,
            "Count",
            glue_job_name=job.ref,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            arguments=sfn.TaskInput.from_object({"--rows": sfn.JsonPath.string_at("$.rows")}),
            result_path="$.counted",
            task_timeout=sfn.Timeout.duration(cdk.Duration.minutes(5)),
        )

    def _training_job(self) -> tasks.SageMakerCreateTrainingJob:
        image = ecr_assets.DockerImageAsset(self, "Image", directory=str(HERE / "image"))
        return tasks.SageMakerCreateTrainingJob(
            self,
            "Train",
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            training_job_name=sfn.JsonPath.string_at("$"),
            algorithm_specification=tasks.AlgorithmSpecification(
                training_image=tasks.DockerImage.from_registry(image.image_uri)
            ),
            input_data_config=[
                tasks.Channel(
                    channel_name="train",
                    data_source=tasks.DataSource(
                        s3_data_source=tasks.S3DataSource(
                            s3_location=tasks.S3Location.from_bucket(self._bucket, "counts/")
                        )
                    ),
                )
            ],
            output_data_config=tasks.OutputDataConfig(
                s3_output_location=tasks.S3Location.from_bucket(self._bucket, "models/")
            ),
            task_timeout=sfn.Timeout.duration(cdk.Duration.minutes(5)),
        )


app = cdk.App()
SmallStack(app, app.node.try_get_context("name") or "Small")
app.synth()
