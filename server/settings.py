"""Read the settings from environment variables. No other module reads them."""

import os
import re
from dataclasses import fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import Field, PostgresDsn, UrlConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from db.engine.database import DatabaseLimits
from domain.files import FileLimits
from server.ip_addresses import Network, parse_networks
from server.limit_settings import ConcurrencyLimits, DocumentLimits
from server.startup_errors import StartupError

ROOT_DATA_DIR = Path("/var/lib/relaties")
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@*]+")


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


class GetPolicy(StrEnum):
    """Policy for GET requests: accept queries, accept only the ids and hashes of known queries, or reject all."""

    QUERIES = "queries"
    PERSISTED = "persisted"
    OFF = "off"


class DocumentPolicy(StrEnum):
    """Policy for the documents that clients may send."""

    OPEN = "open"
    APQ = "apq"
    TRUSTED_ONLY = "trusted-only"


class SettingsError(StartupError):
    """Invalid settings, one line for each."""


def default_data_dir() -> Path:
    """Return the data directory of the user. For root, the account that runs PostgreSQL must be able to reach it."""
    return ROOT_DATA_DIR if os.geteuid() == 0 else user_data_path("relaties")


DatabaseUrl = Annotated[PostgresDsn, UrlConstraints(allowed_schemes=["postgresql", "postgres"])]


class Settings(BaseSettings):
    """Settings of the server. Each field is the environment variable `RELATIES_<NAME>`, unless it has an alias."""

    model_config = SettingsConfigDict(env_prefix="RELATIES_", populate_by_name=True, extra="forbid", frozen=True)

    database_url: DatabaseUrl | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="URL of your own PostgreSQL, for the server's role. Default: an embedded PostgreSQL is started.",
    )
    owner_url: DatabaseUrl | None = Field(
        default=None,
        description="URL of the same database for the role that owns it: for migrations, the demo and commands that manage tokens.",
    )
    direct_url: DatabaseUrl | None = Field(
        default=None, description="URL of the same database without the pooler, if `DATABASE_URL` is a pooler."
    )
    pooler: bool = Field(
        default=False,
        description="Whether `DATABASE_URL` is a pooler in transaction mode, such as pgbouncer. If true, prepared statements are not used.",
    )
    always_read_in_transaction: bool = Field(
        default=False,
        description="Whether operations of one statement read in a transaction. Behind a pooler, on a standby and on Citus they always do.",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the embedded PostgreSQL, the demo's token and the secret key.",
    )
    secret_key: str | None = Field(
        default=None,
        min_length=32,
        description="Key that signs cursors and preview tokens. In a comma-separated list, the first key signs and all verify. "
        "Required in production; in development, a key is created in `data_dir`.",
    )
    env: Environment = Field(default=Environment.DEVELOPMENT, description="`development`, or `production` with stricter defaults.")
    graphiql: bool | None = Field(
        default=None, description="Whether to serve GraphiQL, an editor for queries, at `/graphiql`. Default: only in development."
    )
    host: str = Field(default="127.0.0.1", description="Address to serve on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to serve on.")
    workers: int = Field(default=1, ge=1, le=64, description="Number of worker processes. Each has its own connections and limits.")
    log_format: LogFormat | None = Field(
        default=None, description="Format of the log on standard error: `json` or `text`. Default: `text`; in production `json`."
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address to serve Prometheus metrics on.")
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port to serve Prometheus metrics on; each further worker uses the next port. Default: no metrics.",
    )
    job_workers: int = Field(
        default=1, ge=0, le=16, description="Number of job workers that `serve` starts: processes that run background jobs. 0 starts none."
    )
    job_lease: float = Field(
        default=30, ge=1, description="Seconds after which the jobs of a job worker that has died are continued by another one."
    )
    max_file_bytes: int = Field(
        default=5_000_000_000, gt=0, description="Maximum bytes of the files, such as exports, that an organization has at once."
    )
    file_lifetime: int = Field(default=86_400, ge=60, le=86_400, description="Seconds after which a file that a job has made is deleted.")
    shutdown_delay: float | None = Field(
        default=None,
        ge=0,
        description="Seconds in which requests are still accepted after SIGTERM, while `/readyz` returns 503. Default: 0; in production 5.",
    )
    shutdown_grace: int = Field(
        default=10, ge=0, description="Seconds in which running operations must end once no more requests are accepted."
    )
    read_pool_size: int = Field(
        default=8, ge=1, le=200, description="Connections of the read pool. Token lookups use up to a quarter of this number in addition."
    )
    write_pool_size: int = Field(default=4, ge=1, le=200, description="Connections of the write pool.")
    read_pool_timeout: float = Field(default=2, gt=0, description="Seconds a query waits for a read connection.")
    write_pool_timeout: float = Field(
        default=8, gt=0, description="Seconds a mutation waits for a write connection. Set it lower than `RELATIES_OPERATION_TIMEOUT`."
    )
    statement_timeout: float = Field(default=5, gt=0, description="Seconds one SQL statement may take.")
    operation_timeout: float = Field(default=10, gt=0, description="Seconds one operation may take.")
    delete_timeout: float = Field(default=60, gt=0, description="Seconds an operation that deletes a client may take.")
    max_body_bytes: int = Field(default=1_000_000, gt=0, description="Maximum bytes in the body of a request.")
    max_connections: int = Field(default=1000, ge=1, description="Maximum client connections of a worker process.")
    max_connections_per_address: int | None = Field(
        default=None,
        ge=1,
        description="Maximum connections of one IPv4 address or IPv6 /64 network. Trusted proxies are exempt. Default: half of "
        "`RELATIES_MAX_CONNECTIONS`.",
    )
    trusted_proxies: Annotated[list[Network] | None, NoDecode] = Field(
        default=None,
        description="Comma-separated addresses and networks of proxies whose `X-Forwarded-For` names the client: `10.0.0.5, "
        "192.168.0.0/16`.",
    )
    header_timeout: float = Field(default=5, gt=0, description="Seconds in which the headers of a request must arrive.")
    body_timeout: float = Field(
        default=10, gt=0, description="Seconds in which the body of a request must arrive, plus one for each 50 kB."
    )
    send_timeout: float = Field(default=30, gt=0, description="Seconds a client may leave a response unread.")
    keepalive_timeout: int = Field(default=15, ge=1, description="Seconds a connection may be idle between two requests.")
    max_characters: int = Field(default=16_000, gt=0, description="Maximum characters in a GraphQL document.")
    max_tokens: int = Field(default=2000, gt=0, description="Maximum tokens in a GraphQL document.")
    max_comments: int = Field(default=50, gt=0, description="Maximum comments in a GraphQL document.")
    max_operations: int = Field(default=20, gt=0, description="Maximum operations in a GraphQL document.")
    max_depth: int = Field(default=10, gt=0, description="Maximum levels of nested fields in a GraphQL document.")
    max_aliases: int = Field(default=30, gt=0, description="Maximum aliases in a GraphQL document.")
    max_directives: int = Field(default=20, gt=0, description="Maximum directives in a GraphQL document.")
    max_root_fields: int = Field(default=20, gt=0, description="Maximum root fields of an operation.")
    max_fields: int = Field(default=400, gt=0, description="Maximum fields of an operation, counted with its fragments expanded.")
    max_cost: int = Field(default=20_000, gt=0, description="Maximum cost of an operation, in points.")
    max_response_objects: int = Field(default=200_000, gt=0, description="Maximum objects in a response.")
    max_response_bytes: int = Field(default=16_000_000, gt=0, description="Maximum bytes in a response.")
    max_incoming_bytes_per_token: int = Field(
        default=16_000_000, gt=0, description="Maximum bytes of request bodies over 64 kB that arrive at once for one token."
    )
    max_incoming_bytes: int = Field(
        default=128_000_000, gt=0, description="Maximum bytes of request bodies over 64 kB that arrive at once at a worker process."
    )
    max_outgoing_bytes_per_token: int = Field(
        default=32_000_000, gt=0, description="Maximum bytes of unread responses over 64 kB to the clients of one token."
    )
    max_outgoing_bytes: int = Field(
        default=128_000_000, gt=0, description="Maximum bytes of unread responses over 64 kB to all clients of a worker process."
    )
    rate_limit_restore: int = Field(
        default=10_000, gt=0, description="Points restored per second for a token; twice as many for its organization."
    )
    rate_limit_burst: int = Field(
        default=100_000, gt=0, description="Maximum points that a token can have; twice as many for its organization."
    )
    max_concurrent: int = Field(default=8, gt=0, description="Maximum operations that run at once; at most `RELATIES_READ_POOL_SIZE`.")
    max_concurrent_per_organization: int = Field(default=4, gt=0, description="Maximum operations of one organization that run at once.")
    queue_size: int = Field(default=500, gt=0, description="Maximum operations that wait in the concurrency queue.")
    queue_size_per_organization: int = Field(
        default=100, gt=0, description="Maximum operations of one organization that wait in the concurrency queue."
    )
    queue_size_per_token: int = Field(default=50, gt=0, description="Maximum operations of one token that wait in the concurrency queue.")
    queue_timeout: float = Field(
        default=5, gt=0, description="Seconds an operation waits in the concurrency queue before it fails with UNAVAILABLE."
    )
    max_auth_failures: int = Field(
        default=20,
        gt=0,
        description="Invalid tokens that one address may send per minute. Further ones get status 429, and new tokens of the address "
        "are then checked one at a time.",
    )
    max_refusals_per_second: int = Field(
        default=200,
        gt=0,
        description="Rejected requests per second of one organization, or of one address without a valid token; the responses to more are "
        "delayed. All such addresses together may send five times as many.",
    )
    compiled_executor: bool = Field(
        default=True, description="Whether queries run on the compiled executor instead of graphql-core's. The results are the same."
    )
    get_requests: GetPolicy | None = Field(
        default=None,
        description="What GET accepts: `queries`, `persisted` (known documents) or `off`. Default: `persisted`; in development `queries`.",
    )
    introspection: bool | None = Field(
        default=None,
        description="Whether introspection and `/schema.graphql` are allowed, and errors suggest names. Default: only if GraphiQL is "
        "served.",
    )
    document_policy: DocumentPolicy = Field(
        default=DocumentPolicy.APQ,
        description="`open`: any document in full. `apq`: also the hash of one sent before. `trusted-only`: only trusted documents.",
    )
    trusted_documents: Path | None = Field(
        default=None,
        description="Folder of trusted documents: `.graphql` files, Relay and GraphQL Code Generator maps, Apollo manifests.",
    )
    document_cache_bytes: int = Field(default=32_000_000, gt=0, description="Maximum bytes of memory for cached documents.")
    cors_origins: Annotated[list[str] | None, NoDecode] = Field(
        default=None, description="Comma-separated origins whose pages may send requests, such as `https://app.example`."
    )

    @property
    def database_limits(self) -> DatabaseLimits:
        return DatabaseLimits(**{each.name: getattr(self, each.name) for each in fields(DatabaseLimits)})

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _parse_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = [each.strip().lower() for each in value.split(",") if each.strip()]
        if not all(ORIGIN.fullmatch(each) for each in origins):
            raise ValueError("an origin is a scheme and a host, such as `https://app.example`, without a path; `*` is not allowed")
        return origins

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _parse_networks(cls, value: object) -> object:
        return parse_networks(value) if isinstance(value, str) else value

    @property
    def connections_per_address(self) -> int:
        return self.max_connections_per_address or (self.max_connections + 1) // 2

    @property
    def document_limits(self) -> DocumentLimits:
        return DocumentLimits(**{each.name: getattr(self, f"max_{each.name}") for each in fields(DocumentLimits)})

    @property
    def file_limits(self) -> FileLimits:
        return FileLimits(self.max_file_bytes, timedelta(seconds=self.file_lifetime))

    @property
    def concurrency_limits(self) -> ConcurrencyLimits:
        return ConcurrencyLimits(**{each.name: getattr(self, each.name) for each in fields(ConcurrencyLimits)})

    @property
    def get_policy(self) -> GetPolicy:
        return self.get_requests or (GetPolicy.QUERIES if self.env is Environment.DEVELOPMENT else GetPolicy.PERSISTED)

    @property
    def has_introspection(self) -> bool:
        return self.has_graphiql if self.introspection is None else self.introspection

    @property
    def has_graphiql(self) -> bool:
        return self.env is Environment.DEVELOPMENT if self.graphiql is None else self.graphiql

    @property
    def effective_log_format(self) -> LogFormat:
        return self.log_format or (LogFormat.TEXT if self.env is Environment.DEVELOPMENT else LogFormat.JSON)

    @property
    def effective_shutdown_delay(self) -> float:
        return (0 if self.env is Environment.DEVELOPMENT else 5) if self.shutdown_delay is None else self.shutdown_delay

    @classmethod
    def variable(cls, name: str) -> str:
        """Return the environment variable of a field."""
        alias = cls.model_fields[name].validation_alias
        return alias if isinstance(alias, str) else f"RELATIES_{name}".upper()


def read_settings() -> Settings:
    """Read the settings.

    Raises `SettingsError` with a line for each invalid variable. The line never shows the value, which may be a password.
    """
    try:
        return Settings()
    except ValidationError as error:
        messages = (f"{_variable_name(str(detail['loc'][0]))}: {detail['msg']}" for detail in error.errors())
        raise SettingsError(*messages) from None


def require_direct_url(settings: Settings) -> None:
    """Raise `SettingsError` if a job worker could not reach its queue, whose notifications need a connection without a pooler."""
    if settings.pooler and settings.direct_url is None:
        raise SettingsError(
            "RELATIES_DIRECT_URL: required by the job worker, because RELATIES_POOLER is set and a pooler passes on no notifications. Set "
            "it to the URL of the database without the pooler, or set RELATIES_JOB_WORKERS=0 and run `relaties worker` elsewhere."
        )


def unknown_variables() -> list[str]:
    """Return the environment variables that look like settings but are not, such as a setting that was renamed."""
    known_names = {Settings.variable(name) for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith("RELATIES_") and name not in known_names)


def _variable_name(name: str) -> str:
    return Settings.variable(name) if name in Settings.model_fields else name
