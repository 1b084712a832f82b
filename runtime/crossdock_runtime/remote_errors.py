"""What went wrong with a bucket: from obstore's exception to what happened, why, and what to do, for each vendor."""

from __future__ import annotations

import re
from collections.abc import Mapping

from crossdock.dsl.errors import StoreError

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>\s*([^<]+?)\s*</Code>")
_MESSAGE = re.compile(r"<Message>\s*([^<\n]+?)\s*(?:\n[^<]*)?</Message>")
_QUERY = re.compile(r"\?[^\s)>\"']*")
_SPENT = re.compile(r" in [\d.]+\S*s\b|,? after \d+ retries, max_retries: \d+, retry_timeout: \S+")
_LONGEST = 300

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
# https://cloud.google.com/storage/docs/xml-api/reference-status
# https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted", "InvalidBucketName", "InvalidResourceName"}
_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_CREDENTIALS = {
    "AuthenticationFailed",
    "AuthenticationRequired",
    "AuthorizationFailure",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidAuthenticationInfo",
    "InvalidToken",
    "NoAuthenticationInformation",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_NO_CREDENTIALS = (  # the metadata service of a cloud's machine is the last place that is asked
    "/latest/api/token",
    "/latest/meta-data",
    "/computeMetadata/",
    "/metadata/identity",
)
_CALLED = {"s3": "Amazon S3", "gs": "Google Cloud Storage", "az": "Azure"}
_RENEW = {
    "s3": "aws sso login, or new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where they are temporary, "
    "AWS_SESSION_TOKEN; a profile needs pip install 'crossdock[aws]'",
    "gs": "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS=key.json",
    "az": "az login with pip install 'crossdock[azure]', or AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_ALLOW = {
    "s3": "allow these credentials s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket here; "
    "aws sts get-caller-identity says whose they are",
    "gs": "give these credentials the role roles/storage.objectAdmin on the bucket; "
    "gcloud auth list says whose they are",
    "az": "give these credentials the role Storage Blob Data Contributor on the container; "
    "az account show says whose they are",
}
_MAKE = {
    "s3": "check the name, or make it: aws s3 mb s3://{bucket}",
    "gs": "check the name, or make it: gcloud storage buckets create gs://{bucket}",
    "az": "check the name and the account, or make it: az storage container create --name {bucket}",
}


class BucketMissing(StoreError):
    """The bucket is not there."""

    id = "no-such-bucket"


class RegionFailed(StoreError):
    """The bucket is in another region."""

    id = "store-region"


class CredentialsFailed(StoreError):
    """There are no credentials, or they are wrong or too old."""

    id = "store-credentials"


class AccessFailed(StoreError):
    """The credentials may not do this."""

    id = "store-denied"


class ConnectionFailed(StoreError):
    """The store cannot be reached, or is out of order."""

    id = "store-unreachable"


def vendor_of(url: str) -> str:
    """`s3`, `gs` or `az`; another scheme as it is."""
    scheme = url.partition("://")[0]
    return {"s3a": "s3", "abfs": "az", "abfss": "az", "adl": "az", "azure": "az"}.get(scheme, scheme)


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment: the server is busy, or the connection was cut."""
    text = str(error)
    status = _STATUS.search(text)
    if status is not None:
        return int(status[1]) in (408, 429, 500, 502, 503, 504)
    if any(words in text for words in _NO_CREDENTIALS):
        return False
    return "HTTP error: " in text.partition("\n\nDebug source")[0] and "builder error" not in text


def is_bucket_missing(error: BaseException) -> bool:
    """Whether it is the bucket that is not there, rather than the object."""
    code = _CODE.search(str(error))
    return code is not None and code[1] in _NO_BUCKET


def store_error(what: str, url: str, error: BaseException, options: Mapping[str, object]) -> StoreError:
    """The error that says what could not be done in which store, why in the vendor's words, and the remedy."""
    text = str(error)
    vendor, bucket = vendor_of(url), url.partition("://")[2].partition("/")[0]
    code = _CODE.search(text)
    status = _STATUS.search(text)
    kind, hint = _kind(text, code[1] if code else "", status[1] if status else "", vendor, options)
    return kind(f"{what} in {url}: {_reason(text, error)}", hint=hint.format(bucket=bucket))


def _kind(
    text: str, code: str, status: str, vendor: str, options: Mapping[str, object]
) -> tuple[type[StoreError], str]:
    place = options.get("endpoint") or {"s3": "Amazon S3", "gs": "Google Cloud Storage", "az": "Azure"}.get(
        vendor, "it"
    )
    if any(words in text for words in _NO_CREDENTIALS):
        return CredentialsFailed, _RENEW.get(vendor, "give it some")
    if code in _NO_BUCKET:
        return BucketMissing, _MAKE.get(vendor, "check the name")
    if code in _REGION or "without LOCATION" in text or status == "301":
        hint = "set region of the artifact store to the bucket's: aws s3api head-bucket --bucket {bucket}"
        return RegionFailed, hint
    if code in _CREDENTIALS or status == "401" or "token request" in text:
        return CredentialsFailed, f"renew the credentials: {_RENEW.get(vendor, 'give it others')}"
    if status == "403":
        return AccessFailed, _ALLOW.get(vendor, "check the permissions")
    if "builder error" in text:
        return ConnectionFailed, "an endpoint with http:// needs allow_http: true; write https:// otherwise"
    if status == "404":
        return BucketMissing, _MAKE.get(vendor, "check the name")
    if "HTTP error: " in text or status >= "500":
        return ConnectionFailed, f"check that {place} can be reached from here and works, then try again"
    return StoreError, "check the URL, the network and the credentials, then try again"


def _reason(text: str, error: BaseException) -> str:
    if any(words in text for words in _NO_CREDENTIALS):
        return "no credentials were found"
    code, message, status = _CODE.search(text), _MESSAGE.search(text), _STATUS.search(text)
    if code is not None:
        said = f"{code[1]}: {message[1]}" if message is not None else code[1]
        return f"{said[:_LONGEST]} ({status[1]})" if status else said[:_LONGEST]
    first = _QUERY.sub("", _SPENT.sub("", text.partition("\n")[0].strip()))
    # Of a chain of causes such as "Generic S3 error: Error performing GET URL - Server returned …" the last ones tell.
    said = first.rpartition(" - ")[2] if status or "HTTP error: " in first else first
    inner = re.findall(r'(?:ConnectError\(\s*"([^"]+)"|message: "([^"]+)"|source: (TimedOut))', text)
    causes = {part.rstrip(".") for parts in inner for part in parts if part}
    more = f" ({', '.join(sorted(causes))})" if causes else ""
    return f"{said[:_LONGEST]}{more}" if said else type(error).__name__
