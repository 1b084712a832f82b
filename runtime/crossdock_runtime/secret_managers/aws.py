"""AWS Secrets Manager, by boto3 and its own chain of credentials."""

from __future__ import annotations

import os
from collections.abc import Mapping

from crossdock_runtime.secret_managers import TRIES, WAIT_SECONDS, Refused, first_line

_CREDENTIALS = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
)
_SIGN_IN = "aws sts get-caller-identity shows who this process is to AWS"


def fetch(found: Mapping[str, str]) -> str:
    """The value of the secret `id` (in `region`, else the configured one) at `stage`.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html

    Raises:
        Refused: it cannot be had.
        ImportError: boto3 is not installed.
    """
    from boto3.session import Session
    from botocore import exceptions
    from botocore.config import Config

    config = Config(
        connect_timeout=WAIT_SECONDS,
        read_timeout=WAIT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TRIES},
    )
    version = {"VersionStage": found["stage"]} if "stage" in found else {}
    try:
        session = Session()
        region = found.get("region") or session.region_name or os.environ.get("AWS_REGION")  # boto3 ignores that one
        client = session.client("secretsmanager", region_name=region, config=config)
        answer = client.get_secret_value(SecretId=found["id"], **version)
    except exceptions.ClientError as error:
        raise _refused(error.response.get("Error", {}).get("Code", ""), first_line(error)) from None
    except exceptions.NoRegionError:
        raise Refused("no region is configured", "export AWS_REGION=…, or write the secret's ARN") from None
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise Refused(first_line(error), "check the network of this process, and AWS_REGION") from None
    except exceptions.BotoCoreError as error:
        raise Refused(first_line(error), _SIGN_IN) from None
    if "SecretString" in answer:
        return str(answer["SecretString"])
    try:
        return str(answer["SecretBinary"].decode())
    except UnicodeDecodeError:
        raise Refused("it is binary, and no UTF-8", "keep it as text, such as base64") from None


def _refused(code: str, message: str) -> Refused:
    if code == "ResourceNotFoundException":
        return Refused(message, "check the name, the stage, the region and the account")
    if code == "AccessDeniedException":
        return Refused(message, "allow this identity secretsmanager:GetSecretValue, and kms:Decrypt for a key of yours")
    if code == "DecryptionFailure":
        return Refused(message, "allow this identity kms:Decrypt for the key that the secret is encrypted with")
    return Refused(message, _SIGN_IN if code in _CREDENTIALS else "try again; status.aws.amazon.com")
