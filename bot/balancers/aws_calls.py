"""Asking AWS: through boto3 with its usual chain of credentials, but over our own line and its time-outs.

boto3 is heavy and wanted by this kind alone, so it is an extra, and imported here when it is needed.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from bot.balancers.asking import PATIENCE, ask_signed, shown
from bot.balancers.sample import NoReading

#: The only questions that are ever asked; none of them changes anything.
QUESTIONS = frozenset(
    {
        ("elbv2", "describe_load_balancers"),
        ("elbv2", "describe_load_balancer_attributes"),
        ("elbv2", "describe_listeners"),
        ("elbv2", "describe_rules"),
        ("elbv2", "describe_target_groups"),
        ("elbv2", "describe_target_group_attributes"),
        ("elbv2", "describe_target_health"),
        ("cloudwatch", "get_metric_data"),
    }
)
_ARN = re.compile(r"arn:aws[\w-]*:elasticloadbalancing:([a-z0-9-]+):\d*:loadbalancer/(?:app|net)/[\w-]+/\w+")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_NOT_THERE = ("LoadBalancerNotFound", "TargetGroupNotFound", "LoadBalancerNotFoundException")
_NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_NOT_KNOWN = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "AuthFailure",
)


@cache
def _models() -> Any:
    """What botocore knows of AWS' APIs: megabytes of JSON, read once and not for every look at a balancer."""
    return importlib.import_module("botocore.loaders").create_loader()


class NotThere(NoReading):
    """What was asked for by name does not exist."""


class Aws:
    """One place of AWS: a region, a load balancer's ARN, or an endpoint that speaks the same (VPC, LocalStack)."""

    def __init__(self, address: str) -> None:
        arn = _ARN.fullmatch(address)
        is_endpoint = address.startswith(("http://", "https://"))
        if not (arn or is_endpoint or _REGION.fullmatch(address)):
            raise NoReading(
                f"`{address[:100]}` is no place of AWS. Write a region (eu-west-1) or the load balancer's ARN "
                "(arn:aws:elasticloadbalancing:...)."
            )
        #: ARN of the load balancer; "" when it is looked up by its name.
        self.arn = address if arn else ""
        self.place = shown(address)
        self._endpoint = address if is_endpoint else None
        self.region = arn[1] if arn else "" if is_endpoint else address
        try:
            self._boto3 = importlib.import_module("boto3")
            self._botocore = importlib.import_module("botocore.session")
            self._config = importlib.import_module("botocore.config")
            self._awsrequest = importlib.import_module("botocore.awsrequest")
            self._exceptions = importlib.import_module("botocore.exceptions")
            self._parsers = importlib.import_module("botocore.parsers")
        except ImportError:
            raise NoReading(
                "Reading AWS needs boto3, which is not installed here. Install it beside Lantern: "
                "pip install boto3 (or Lantern's own extra, `aws`)."
            ) from None
        self._clients: dict[str, Any] = {}

    def ask(self, service: str, question: str, **about: object) -> dict[str, Any]:
        """The answer to one question. Raises NotThere, or NoReading with a sentence."""
        assert (service, question) in QUESTIONS, f"{service} {question} is not on the list"
        try:
            found: dict[str, Any] = getattr(self._client(service), question)(**about)
        except self._exceptions.ClientError as error:
            raise self._refused(service, question, error) from None
        except (
            self._exceptions.NoCredentialsError,
            self._exceptions.PartialCredentialsError,
            self._exceptions.CredentialRetrievalError,
            self._exceptions.ProfileNotFound,
            self._exceptions.SSOError,
        ):
            raise NoReading(
                "Lantern has no credentials for AWS. Give its machine a role, or its environment AWS_PROFILE or "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from None
        except self._parsers.ResponseParserError:
            raise NoReading(
                f"What answered at {self.place} is not AWS. Write a region (eu-west-1) or the load balancer's ARN."
            ) from None
        except self._exceptions.BotoCoreError as error:
            raise NoReading(
                f"AWS at {self.place} cannot be read ({type(error).__name__}). Look whether this machine may reach it, "
                "and whether the region is right."
            ) from None
        found.pop("ResponseMetadata", None)
        return found

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            session = self._botocore.Session()
            session.register_component("data_loader", _models())
            session.register("before-send", self._sent)
            region = (
                self.region
                or os.environ.get("AWS_REGION")
                or os.environ.get("AWS_DEFAULT_REGION")
                or "us-east-1"
            )
            self._clients[service] = self._boto3.session.Session(botocore_session=session).client(
                service,
                region_name=region,
                endpoint_url=self._endpoint,
                config=self._config.Config(retries={"total_max_attempts": 1, "mode": "standard"}),
            )
        return self._clients[service]

    def _sent(self, request: Any, **_: object) -> Any:
        """Sends what boto3 signed, and gives boto3 the answer: a limit on time and size, no redirects."""
        headers = {name: _text(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else _text(request.body or "").encode()
        status, answered, text = ask_signed(request.method, request.url, headers, body)
        return self._awsrequest.AWSResponse(request.url, status, answered, _Raw(text.encode()))

    def _refused(self, service: str, question: str, error: Any) -> NoReading:
        code = str(error.response.get("Error", {}).get("Code", ""))
        action = "".join(word.capitalize() for word in question.split("_"))
        prefix = "elasticloadbalancing" if service == "elbv2" else service
        if code in _NOT_THERE:
            return NotThere(f"AWS knows nothing of that name ({code}).")
        if code in _NOT_ALLOWED:
            return NoReading(
                f"AWS does not allow Lantern to read that. Give its role the action {prefix}:{action} "
                "(docs/balancers.md has the whole policy)."
            )
        if code in _NOT_KNOWN:
            return NoReading(
                f"AWS does not accept Lantern's credentials ({code}). Renew them; {self.place} was asked."
            )
        if code in ("Throttling", "ThrottlingException", "RequestLimitExceeded"):
            return NoReading("AWS is asked too often at the moment (throttling). Check again in a minute.")
        why = re.sub(r"[^\w.-]", "", code)[:60] or "an answer that is none"
        return NoReading(
            f"AWS at {self.place} answered {why} to {prefix}:{action}. Look at the region and the backend's name."
        )


class _Raw:
    """A body as boto3 reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


#: Seconds that all questions of one look may take; each has PATIENCE of its own.
IN_ALL = 4 * PATIENCE
