"""Configuration: one typed, frozen object, read from ``HOTLINE_…`` environment variables.

A wrong or missing value explains itself and says what to do.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hotline.domain.mail_address import is_mail_address
from hotline.domain.retention import DEFAULT_DAYS
from hotline.domain.sign_in import SHORTEST_DEMO_PASSWORD, SHORTEST_PASSWORD
from hotline.notify.webhook import LOCAL, url_refusal

HINTS = {
    "database_url": "set it to postgresql+psycopg://user:password@host/database, or run `hotline up`, "
    "which brings its own",
    "redis_url": "set it to redis://host:6379/0 or unix:///path/redis.sock",
    "secret_key": "set it to at least 32 random characters; `openssl rand -base64 48` makes one",
    "index_key": "set it to at least 32 random characters and keep it: phone search depends on it",
    "notifier": "it is none, console, webhook (with HOTLINE_NOTIFY_URL and HOTLINE_NOTIFY_SECRET) or smtp (with "
    "HOTLINE_SMTP_HOST and HOTLINE_SMTP_FROM)",
    "notify_url": "set it to the https:// address of the city's message system",
    "notify_secret": "set it to at least 32 random characters that the receiver knows too",
    "composite_weights": "set it to what response, resolution and satisfaction weigh, like 0.30,0.35,0.35",
    "smtp_from": "set it to the address that notifications come from, like hotline@city.example",
    "encryption_keys": "set it to one or more Fernet keys, separated by commas, the newest first; "
    "`python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'` makes one",
}


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests a minute from one account, from one address (an office may share one), and logins from one address."""

    account: int
    address: int
    login: int


# A demo answers benchmarks; tests sign in hundreds of times from one address and set limits where they want any.
RATE_LIMITS = {
    "production": RateLimits(account=6_000, address=12_000, login=60),
    "demo": RateLimits(account=120_000, address=120_000, login=240),
    "test": RateLimits(account=0, address=0, login=0),
}


class SettingsError(Exception):
    """The configuration cannot be used; the message names each variable and says what to do."""


class Settings(BaseSettings):
    """What differs from one installation to the next."""

    model_config = SettingsConfigDict(env_prefix="HOTLINE_", frozen=True, extra="ignore")

    database_url: str
    redis_url: str
    secret_key: SecretStr = Field(min_length=32)
    index_key: SecretStr = Field(min_length=32)
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(min_length=1)
    environment: Literal["production", "demo", "test"] = "production"
    models_folder: Path | None = None
    # Where attachments lie, on a disk that all machines share; unset: tickets carry none.
    attachments_folder: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # A session ends after so long without a request, and after so many hours in any case.
    session_hours: float = Field(default=12, gt=0, le=72)
    session_idle_minutes: float = Field(default=30, gt=0, le=24 * 60)
    # Whether administrators, supervisors and auditors need a second factor; unset: in production.
    second_factor: Literal["required", "optional"] | None = None
    # How many proxies stand before the web server; X-Forwarded-For is believed for so many steps, and not at all for 0.
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    # Requests a minute, 0 for no limit; unset: as RATE_LIMITS says.
    rate_limit_account: int | None = Field(default=None, ge=0)
    rate_limit_address: int | None = Field(default=None, ge=0)
    rate_limit_login: int | None = Field(default=None, ge=0)

    database_pool: int = Field(default=8, ge=1, le=100)

    # Seconds: how long a worker may hold a job (its hard time limit is shorter), when an unanswered bell is rung again,
    # and how often the beat sweeps.
    job_lease_seconds: float = Field(default=90, gt=0)
    job_ring_again_seconds: float = Field(default=15, gt=0)
    tick_seconds: float = Field(default=5, gt=0)

    # How many days after its end a ticket's personal data is closed out, and whether workers do so by themselves.  What
    # is closed out does not come back, so that a person's dry run comes first unless the city decides otherwise.
    retention_days: int = Field(default=DEFAULT_DAYS, ge=30)
    retention_automatic: bool = False

    # Every how many days workers of the queue "training" train a new model and let it serve if it is no worse; unset:
    # never by themselves.  Besides the texts that ship it learns from the files named here, comma-separated.
    retrain_every_days: float | None = Field(default=None, ge=1, le=366)
    training_data: Annotated[tuple[Path, ...], NoDecode] = ()

    # The share of confident tickets that a dispatcher reads without the model's answer, to tell how right it is.
    blind_share: float = Field(default=0.02, ge=0, le=1)
    # The share of inquiries answered at once that is followed up.
    answer_followup_share: float = Field(default=0.1, ge=0, le=1)

    # What response, resolution and satisfaction weigh in the composite score, separated by commas.
    composite_weights: Annotated[tuple[float, ...], NoDecode] = (0.30, 0.35, 0.35)

    # Where colleagues reach the pages, for links in notifications.
    public_url: str | None = None
    # The webhook that notifications are posted to, and the secret that they are signed with.
    notify_url: str | None = None
    notify_secret: SecretStr | None = Field(default=None, min_length=32)
    # The server that takes mail, and the address that notifications come from.
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    # How notifications leave.  It stands behind what it needs, so that its check can look at that.
    notifier: Literal["none", "console", "webhook", "smtp"] = "none"

    @property
    def second_factor_required(self) -> bool:
        """Whether the roles that see or change most sign in with two factors."""
        if self.second_factor is None:
            return self.environment == "production"
        return self.second_factor == "required"

    @property
    def rate_limits(self) -> RateLimits:
        """The limits in force."""
        usual = RATE_LIMITS[self.environment]
        given = (self.rate_limit_account, self.rate_limit_address, self.rate_limit_login)
        usually = (usual.account, usual.address, usual.login)
        return RateLimits(*(b if a is None else a for a, b in zip(given, usually, strict=True)))

    @property
    def shortest_password(self) -> int:
        """How long a password must be at least."""
        return SHORTEST_DEMO_PASSWORD if self.environment == "demo" else SHORTEST_PASSWORD

    @field_validator("database_url")
    @classmethod
    def _postgresql_only(cls, value: str) -> str:
        if value.startswith("postgresql://"):
            value = value.replace("postgresql://", "postgresql+psycopg://", 1)
        if not value.startswith("postgresql+psycopg://"):
            raise ValueError("only PostgreSQL is supported")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("it must start with redis://, rediss:// or unix://")
        return value

    @field_validator("notify_url")
    @classmethod
    def _webhook(cls, value: str | None) -> str | None:
        refusal = url_refusal(value) if value else None
        if refusal:
            raise ValueError(refusal)
        return value

    @field_validator("smtp_from")
    @classmethod
    def _mail_address(cls, value: str | None) -> str | None:
        if value and not is_mail_address(value):
            raise ValueError("it is no mail address")
        return value

    @field_validator("notifier")
    @classmethod
    def _has_what_it_needs(cls, value: str, info: ValidationInfo) -> str:
        needed = {"webhook": ("notify_url", "notify_secret"), "smtp": ("smtp_host", "smtp_from")}.get(value, ())
        missing = [f"HOTLINE_{name.upper()}" for name in needed if not info.data.get(name)]
        if missing:
            raise ValueError(f"'{value}' needs {' and '.join(missing)} too")
        open_mail = value == "smtp" and info.data.get("smtp_security") == "none"
        if open_mail and info.data.get("smtp_host") not in LOCAL:
            raise ValueError("mail without encryption (HOTLINE_SMTP_SECURITY=none) only goes to this machine itself")
        return value

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        # An empty part is kept and refused: it may stand for a key that somebody's script did not find.
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("training_data", mode="before")
    @classmethod
    def _split_files(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("composite_weights", mode="before")
    @classmethod
    def _three_weights(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            weights = tuple(float(part) for part in value.split(","))
        except ValueError:
            raise ValueError("it takes three numbers, like 0.30,0.35,0.35") from None
        if len(weights) != 3 or not all(0 <= weight <= 100 for weight in weights) or not sum(weights):
            raise ValueError("it takes three numbers from 0 on, not all of them 0, like 0.30,0.35,0.35")
        return weights

    @field_validator("encryption_keys")
    @classmethod
    def _fernet_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in value:
            Fernet(key.get_secret_value())
        return value


def load_settings() -> Settings:
    """Read the settings from the environment.  Raises ``SettingsError`` naming every missing or wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_input=False, include_url=False):
            name = str(problem["loc"][0])
            what = "is not set" if problem["type"] == "missing" else f"is wrong: {problem['msg']}"
            lines.append(f"HOTLINE_{name.upper()} {what}; {HINTS.get(name, 'see the README, Configuration')}")
        raise SettingsError("\n".join(lines)) from None
