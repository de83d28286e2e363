"""The environment, read into Settings. What is missing or wrong is a sentence with the name and an example."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.domain.zone import region


class SettingsWrong(Exception):
    """The settings cannot be used. `sentences` say what to do, one a setting."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def shipped(name: str) -> Path:
    """A folder or file that comes with the project: beside bot/ in a checkout, inside it when installed."""
    here = Path(__file__).resolve().parent
    beside = here.parent / name
    return beside if beside.exists() else here / "shipped" / name


class Settings(BaseSettings):
    """Everything that can be set, by environment variable. Secrets print as stars."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", env_ignore_empty=True)

    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(None, validation_alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr | None = Field(None, validation_alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL")
    database_url: str = Field("sqlite:///lantern-data/lantern.db", validation_alias="LANTERN_DATABASE_URL")
    announce_channel: str = Field("", validation_alias="LANTERN_ANNOUNCE_CHANNEL")
    time_zone: str = Field("UTC", validation_alias="LANTERN_TIME_ZONE")
    channel_name: str = Field("inc-{number:04d}-{title}", validation_alias="LANTERN_CHANNEL_NAME")
    default_severity: str = Field("SEV3", validation_alias="LANTERN_DEFAULT_SEVERITY")
    runbooks: Path = Field(default_factory=lambda: shipped("runbooks"), validation_alias="LANTERN_RUNBOOKS")
    catalogue: Path | None = Field(None, validation_alias="LANTERN_CATALOGUE")
    balancer_window: float = Field(20.0, validation_alias="LANTERN_BALANCER_WINDOW", ge=1, le=60)
    runbooks_url: str = Field("", validation_alias="LANTERN_RUNBOOKS_URL")
    postmortem_template: Path | None = Field(None, validation_alias="LANTERN_POSTMORTEM_TEMPLATE")
    host: str = Field("127.0.0.1", validation_alias="LANTERN_HOST")
    port: int = Field(8080, validation_alias="LANTERN_PORT", ge=0, le=65535)
    log_level: str = Field("INFO", validation_alias="LANTERN_LOG_LEVEL")
    #: Whether the postmortem also goes into the canvas of the incident's channel.
    canvas: bool = Field(False, validation_alias="LANTERN_CANVAS")
    #: Where people reach the console; "" leaves it off. Port 0 stands for the one that the server gets.
    public_url: str = Field("", validation_alias="LANTERN_PUBLIC_URL")
    slack_client_id: str = Field("", validation_alias="SLACK_CLIENT_ID")
    slack_client_secret: SecretStr | None = Field(None, validation_alias="SLACK_CLIENT_SECRET")
    #: Where follow-ups can be sent, "github:acme/web"; "" for nowhere. The kinds are the files of bot/trackers/.
    tracker: str = Field("", validation_alias="LANTERN_TRACKER")
    tracker_url: str = Field("", validation_alias="LANTERN_TRACKER_URL")
    tracker_token: SecretStr | None = Field(None, validation_alias="LANTERN_TRACKER_TOKEN")
    tracker_user: str = Field("", validation_alias="LANTERN_TRACKER_USER")

    @field_validator("slack_api_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("give a web address, for example https://slack.com/api/")
        return value.rstrip("/") + "/"

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        if not value:
            return ""
        parts = urlsplit(value)
        is_origin = parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"}
        if not is_origin or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(
                "give the address people type, without a path, for example https://lantern.example.com"
            )
        return f"{parts.scheme}://{parts.netloc.lower()}"

    @field_validator("tracker")
    @classmethod
    def _names_a_project(cls, value: str) -> str:
        kind, _, project = value.strip().partition(":")
        if value and not (kind.isalpha() and project.strip() and len(value) <= 200):
            raise ValueError("give a kind and a project, for example github:acme/web or jira:OPS")
        return f"{kind.lower()}:{project.strip()}" if value else ""

    @field_validator("tracker_url")
    @classmethod
    def _safe_to_send_a_token_to(cls, value: str) -> str:
        is_here = value.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
        if value and not (value.startswith("https://") or is_here):
            raise ValueError(
                "give an https address, since the token is sent to it: https://gitlab.example.com"
            )
        try:
            parts = urlsplit(value)
            is_wrong = parts.port == 0 or not (parts.hostname or "").encode("idna")
        except ValueError:
            is_wrong = True
        if value and is_wrong:
            raise ValueError("this is no web address; for example https://gitlab.example.com")
        return value.rstrip("/")

    @field_validator("tracker_token")
    @classmethod
    def _fits_into_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        token = value.get_secret_value().strip() if value is not None else ""
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("a token has no spaces, line breaks or special letters; copy it again")
        return SecretStr(token) if token else None

    @field_validator("tracker_user")
    @classmethod
    def _names_an_account(cls, value: str) -> str:
        if ":" in value or not value.isprintable():
            raise ValueError("give the address of the account alone, for example lantern@example.com")
        return value.strip()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        found = region(value)
        if found is None:
            raise ValueError("give an IANA zone name, for example Europe/Berlin")
        return found.key

    @field_validator("channel_name")
    @classmethod
    def _usable_name(cls, value: str) -> str:
        try:
            made = value.format(number=42, title="x")
        except (KeyError, ValueError, IndexError, AttributeError):
            raise ValueError("use {number} and {title} only, for example inc-{number:04d}-{title}") from None
        if value.format(number=43, title="x") == made:
            raise ValueError("the name needs {number}, or two incidents want the same channel")
        if len(made) > 40:
            raise ValueError("leave room for the title: at most 40 characters without it (Slack takes 80)")
        return value

    @field_validator("default_severity")
    @classmethod
    def _known_severity(cls, value: str) -> str:
        if value.upper() not in {"SEV1", "SEV2", "SEV3", "SEV4"}:
            raise ValueError("give SEV1, SEV2, SEV3 or SEV4")
        return value.upper()

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("give DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("database_url")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("give sqlite:///folder/file.db or postgresql://user:password@host/database")
        return value

    def missing_for_slack(self) -> list[str]:
        """What `serve` still needs, in sentences; [] when nothing."""
        sentences = []
        if self.slack_bot_token is None:
            sentences.append(
                "SLACK_BOT_TOKEN is not set. Take it from your app's page, OAuth & Permissions, "
                "after installing the app: SLACK_BOT_TOKEN=xoxb-..."
            )
        if self.slack_app_token is None and self.slack_signing_secret is None:
            sentences.append(
                "Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set. For Socket Mode (no public address "
                "needed) make an app-level token with connections:write: SLACK_APP_TOKEN=xapp-... "
                "For HTTP take the secret from Basic Information: SLACK_SIGNING_SECRET=..."
            )
        return sentences

    def missing_for_console(self) -> list[str]:
        """What the console still needs when its address is set, in sentences; [] when nothing, or it is off."""
        if not self.public_url:
            return []
        sentences = []
        if not self.slack_client_id:
            sentences.append(
                "SLACK_CLIENT_ID is not set, so nobody could sign in to the console. Take it from your app's page, "
                "Basic Information: SLACK_CLIENT_ID=1234567890.1234567890"
            )
        if self.slack_client_secret is None:
            sentences.append(
                "SLACK_CLIENT_SECRET is not set, so nobody could sign in to the console. It stands beside the "
                "client id: SLACK_CLIENT_SECRET=..."
            )
        return sentences


def read_settings(env_file: Path | None = None) -> Settings:
    """Settings from the environment (and a .env file). Raises SettingsWrong with a sentence a setting."""
    if env_file is not None and not env_file.is_file():
        raise SettingsWrong([f"There is no file {env_file}. Write it, or correct --env-file lantern.env."])
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as wrong:
        raise SettingsWrong([_sentence(error) for error in wrong.errors()]) from None


def _sentence(error: object) -> str:
    assert isinstance(error, dict)
    name = str(error["loc"][0]) if error.get("loc") else "a setting"
    why = str(error["msg"]).removeprefix("Value error, ")
    if name == "LANTERN_PORT":
        why = "give a number from 0 to 65535, for example 8080"
    if name == "LANTERN_BALANCER_WINDOW":
        why = "give seconds from 1 to 60, for example 20"
    if name == "LANTERN_CANVAS":
        why = "give on or off, for example LANTERN_CANVAS=on"
    # The value itself may be a secret; only its setting is named.
    return f"{name} cannot be used: {why}."
