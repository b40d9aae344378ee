"""People sign in to a user pool, get their group's role by an identity pool, and sign requests."""

from __future__ import annotations

import base64
import json
import ssl
import time

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import ACCOUNT, allow, document

PASSWORD = "Twelve-and-2-more"
PROBLEM = '{"title":"refused","detail":$context.error.messageString}'
FORMAT = (
    '{"id":"$context.requestId","who":"$context.identity.userArn","status":"$context.status",'
    '"person":"$context.identity.cognitoAuthenticationProvider","path":"$context.resourcePath"}'
)


class Site:
    """A REST API whose method a group's role may call, with a user pool and an identity pool."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.region = cloud.environment["AWS_REGION"]
        self._user_pool()
        self._identity_pool()
        self._api()

    def _user_pool(self):
        idp = self.cloud.client("cognito-idp")
        self.pool = idp.create_user_pool(PoolName=self.cloud.name("pool"))["UserPool"]["Id"]
        self.client = idp.create_user_pool_client(
            UserPoolId=self.pool,
            ClientName="web",
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )["UserPoolClient"]["ClientId"]
        self.provider = f"cognito-idp.{self.region}.amazonaws.com/{self.pool}"

    def _identity_pool(self):
        identities = self.cloud.client("cognito-identity")
        self.identities = identities.create_identity_pool(
            IdentityPoolName=self.cloud.name("people"),
            AllowUnauthenticatedIdentities=False,
            CognitoIdentityProviders=[{"ProviderName": self.provider, "ClientId": self.client}],
        )["IdentityPoolId"]
        identities.set_identity_pool_roles(
            IdentityPoolId=self.identities,
            Roles={},
            RoleMappings={
                f"{self.provider}:{self.client}": {
                    "Type": "Token",
                    "AmbiguousRoleResolution": "Deny",
                }
            },
        )

    def _api(self):
        apis, logs = self.cloud.client("apigateway"), self.cloud.client("logs")
        self.log_group = self.cloud.name("/access")
        logs.create_log_group(logGroupName=self.log_group)
        self.api = apis.create_rest_api(name=self.cloud.name("api"))["id"]
        root = apis.get_resources(restApiId=self.api)["items"][0]["id"]
        for part in ("open", "closed"):
            resource = apis.create_resource(restApiId=self.api, parentId=root, pathPart=part)["id"]
            where = {"restApiId": self.api, "resourceId": resource, "httpMethod": "GET"}
            apis.put_method(**where, authorizationType="AWS_IAM")
            apis.put_integration(
                **where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
            )
            apis.put_method_response(**where, statusCode="200")
            apis.put_integration_response(**where, statusCode="200")
        for kind in ("MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE", "EXPIRED_TOKEN",
                     "DEFAULT_4XX", "ACCESS_DENIED"):  # fmt: skip
            apis.put_gateway_response(
                restApiId=self.api,
                responseType=kind,
                statusCode="403" if kind == "ACCESS_DENIED" else "401",
                responseTemplates={"application/json": PROBLEM},
            )
        apis.create_deployment(restApiId=self.api, stageName="v1")
        apis.update_stage(
            restApiId=self.api,
            stageName="v1",
            patchOperations=[
                {
                    "op": "replace",
                    "path": "/accessLogSettings/destinationArn",
                    "value": f"arn:aws:logs:{self.region}:{ACCOUNT}:log-group:{self.log_group}",
                },
                {"op": "replace", "path": "/accessLogSettings/format", "value": FORMAT},
            ],
        )

    def arn(self, path):
        return f"arn:aws:execute-api:{self.region}:{ACCOUNT}:{self.api}/v1/GET/{path}"

    def group(self, name, precedence, *, pool=None):
        """Make a group whose role may call `/open`."""
        iam, role = self.cloud.client("iam"), self.cloud.name(f"{name}Role")
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": pool or self.identities},
                "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
            },
        }
        made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))["Role"]
        iam.put_role_policy(
            RoleName=role,
            PolicyName="api",
            PolicyDocument=document(allow("execute-api:Invoke", self.arn("open"))),
        )
        self.cloud.client("cognito-idp").create_group(
            UserPoolId=self.pool, GroupName=name, Precedence=precedence, RoleArn=made["Arn"]
        )
        return made["Arn"]

    def person(self, *groups):
        """Make a user in groups."""
        idp, name = self.cloud.client("cognito-idp"), self.cloud.name("somebody")
        idp.admin_create_user(UserPoolId=self.pool, Username=name, MessageAction="SUPPRESS")
        idp.admin_set_user_password(
            UserPoolId=self.pool, Username=name, Password=PASSWORD, Permanent=True
        )
        for group in groups:
            idp.admin_add_user_to_group(UserPoolId=self.pool, Username=name, GroupName=group)
        return name

    def unsigned(self, service):
        """Give a client as a person has it before signing in."""
        return boto3.client(
            service,
            self.region,
            endpoint_url=self.cloud.environment["AWS_ENDPOINT_URL"],
            verify=self.cloud.environment["AWS_CA_BUNDLE"],
            config=Config(signature_version=UNSIGNED),
        )

    def token(self, name):
        answer = self.unsigned("cognito-idp").initiate_auth(
            ClientId=self.client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        return answer["AuthenticationResult"]["IdToken"]

    def credentials(self, token):
        identities, logins = self.unsigned("cognito-identity"), {self.provider: token}
        identity = identities.get_id(IdentityPoolId=self.identities, Logins=logins)["IdentityId"]
        return identities.get_credentials_for_identity(IdentityId=identity, Logins=logins)[
            "Credentials"
        ]

    def get(self, path, credentials=None, service="execute-api", region=None, **headers):
        url = (
            f"{self.cloud.environment['AWS_ENDPOINT_URL']}/restapis/{self.api}/v1"
            f"/_user_request_/{path}"
        )
        request = AWSRequest("GET", url)
        if credentials:
            keys = Credentials(
                credentials["AccessKeyId"], credentials["SecretKey"], credentials["SessionToken"]
            )
            SigV4Auth(keys, service, region or self.region).add_auth(request)
        trust = ssl.create_default_context(cafile=self.cloud.environment["AWS_CA_BUNDLE"])
        return httpx.get(url, headers={**dict(request.headers), **headers}, verify=trust)


@pytest.fixture(scope="module")
def site(cloud):
    return Site(cloud)


@pytest.fixture(scope="module")
def roles(site):
    return {name: site.group(name, number) for number, name in enumerate(("first", "second"))}


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_who_signs_in_calls_what_the_group_may_and_nothing_else(site, roles):
    given = site.credentials(site.token(site.person("second")))

    assert site.get("open", given).status_code == 200
    refused = site.get("closed", given)
    assert refused.status_code == 403
    assert refused.json()["title"] == "refused"
    role = roles["second"].rsplit("/", 1)[-1]
    assert f"{role}/CognitoIdentityCredentials is not authorized" in refused.json()["detail"]


def test_the_token_names_the_roles_and_the_first_of_the_groups_counts(site, roles):
    token = site.token(site.person("second", "first"))

    assert sorted(claims(token)["cognito:roles"]) == sorted(roles.values())
    assert claims(token)["cognito:preferred_role"] == roles["first"]
    given = site.credentials(token)
    assert roles["first"].rsplit("/", 1)[-1] in site.get("closed", given).json()["detail"]


def test_who_is_in_no_group_gets_no_credentials(site, roles):
    token = site.token(site.person())
    assert "cognito:roles" not in claims(token)
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        site.credentials(token)


def test_a_role_that_trusts_another_pool_is_not_given(site, roles):
    site.group("strangers", 5, pool=f"{site.region}:another")
    with pytest.raises(ClientError, match="Invalid identity pool configuration"):
        site.credentials(site.token(site.person("strangers")))


def test_a_forged_token_gives_no_credentials(site, roles):
    head, payload, signature = site.token(site.person("second")).split(".")
    other = {**claims(f".{payload}."), "cognito:preferred_role": roles["first"]}
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()
    with pytest.raises(ClientError, match="signature invalid"):
        site.credentials(f"{head}.{forged}.{signature}")


@pytest.mark.parametrize(
    "broken", [{"SecretKey": "forged"}, {"SessionToken": "forged"}, {"AccessKeyId": "ASIAFORGED"}]
)
def test_who_is_not_known_is_told_so(site, roles, broken):
    given = {**site.credentials(site.token(site.person("second"))), **broken}
    answer = site.get("open", given)
    assert (answer.status_code, answer.json()["title"]) == (401, "refused")


@pytest.mark.parametrize("scope", [{"service": "s3"}, {"region": "eu-north-9"}])
def test_a_signature_for_something_else_is_none(site, roles, scope):
    given = site.credentials(site.token(site.person("second")))
    answer = site.get("open", given, **scope)
    assert answer.status_code == 401
    assert "scoped to" in answer.json()["detail"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer something"}])
def test_a_request_without_a_signature_is_not_known_either(site, header):
    assert site.get("open", **header).status_code == 401


def test_access_is_logged_with_the_person_and_the_id_that_the_caller_was_told(
    site, roles, wait_until
):
    given = site.credentials(site.token(site.person("second")))
    told = site.get("closed", given).headers["x-amzn-requestid"]
    before = time.monotonic()

    line = wait_until(
        lambda: [
            found
            for found in map(json.loads, site.cloud.log(site.log_group).splitlines())
            if found["id"] == told
        ]
    )[0]

    assert time.monotonic() - before < 10
    assert (line["status"], line["path"]) == ("403", "/closed")
    assert line["who"].endswith("/CognitoIdentityCredentials")
    assert f"{site.provider}:CognitoSignIn:" in line["person"]
