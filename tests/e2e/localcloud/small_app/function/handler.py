"""Counts its calls in a table and keeps the last event in a bucket."""

import json
import os

import boto3


def lambda_handler(event, context):
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    answer = table.update_item(
        Key={"pk": "calls"},
        UpdateExpression="ADD calls :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="UPDATED_NEW",
    )
    body = json.dumps(event, default=str)
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="last.json", Body=body)
    return {"statusCode": 200, "body": json.dumps({"calls": int(answer["Attributes"]["calls"])})}
