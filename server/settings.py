"""Read the settings from the environment: once, and only here."""

import os
import re
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import Field, PostgresDsn, UrlConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from db.engine.database import DatabaseLimits
from server.ip_addresses import Network, parse_networks
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
    """Policy for GET requests: they send queries, name known queries by id or hash, or are refused."""

    QUERIES = "queries"
    PERSISTED = "persisted"
    OFF = "off"


class DocumentPolicy(StrEnum):
    """Policy for the documents that clients may send."""

    OPEN = "open"
    APQ = "apq"
    TRUSTED_ONLY = "trusted-only"


@dataclass(frozen=True)
class DocumentLimits:
    """Limits of a document; `fields` counts those of an operation with its fragments filled in."""

    characters: int = 16_000
    tokens: int = 2000
    comments: int = 50
    operations: int = 20
    depth: int = 10
    aliases: int = 30
    directives: int = 20
    root_fields: int = 20
    fields: int = 400


@dataclass(frozen=True)
class ConcurrencyLimits:
    """Limits of the operations that run at once and of those that wait; `queue_timeout` is in seconds.

    The limits of the queue also hold, separately, for tasks that wait for their organization's CPU share.
    """

    max_concurrent: int = 8
    max_concurrent_per_organization: int = 4
    queue_size: int = 500
    queue_size_per_organization: int = 100
    queue_size_per_token: int = 50
    queue_timeout: float = 5.0


class SettingsError(StartupError):
    """Invalid settings, one line for each."""


def default_data_dir() -> Path:
    """Root's is one that the account that PostgreSQL runs as can reach; a person's is where their programs keep data."""
    return ROOT_DATA_DIR if os.geteuid() == 0 else user_data_path("relaties")


DatabaseUrl = Annotated[PostgresDsn, UrlConstraints(allowed_schemes=["postgresql", "postgres"])]


class Settings(BaseSettings):
    """Each field is an environment variable, `RELATIES_` and its name in capitals, unless it names another."""

    model_config = SettingsConfigDict(env_prefix="RELATIES_", populate_by_name=True, extra="forbid", frozen=True)

    database_url: DatabaseUrl | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL of your own, as the role of the server. Without it an embedded PostgreSQL is started.",
    )
    owner_url: DatabaseUrl | None = Field(
        default=None,
        description="The same database as the role that owns it: for migrations, the demo and the commands that manage tokens.",
    )
    direct_url: DatabaseUrl | None = Field(
        default=None, description="The same as `DATABASE_URL` past a connection pooler, where one stands between."
    )
    pooler: bool = Field(
        default=False,
        description="Whether `DATABASE_URL` is a pooler in transaction mode, such as pgbouncer: nothing is kept prepared there.",
    )
    always_read_in_transaction: bool = Field(
        default=False,
        description="Whether operations of one statement read in a transaction, too. Behind a pooler, on a standby and on Citus they do.",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Where the embedded PostgreSQL, the demo's token and the secret key are kept.",
    )
    secret_key: str | None = Field(
        default=None,
        min_length=32,
        description="Signs cursors and previews. Several, with commas between: the first signs, all verify. Without it one is made in "
        "`data_dir`.",
    )
    env: Environment = Field(default=Environment.DEVELOPMENT, description="`development` or `production`; the latter demands a secret key.")
    graphiql: bool | None = Field(
        default=None, description="Whether `/graphiql` is there, to explore the API. Unless given: in development it is, in production not."
    )
    host: str = Field(default="127.0.0.1", description="Address to serve on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to serve on.")
    workers: int = Field(default=1, ge=1, le=64, description="Processes that answer on the port, each with its own connections and limits.")
    log_format: LogFormat | None = Field(
        default=None, description="`json` or `text`: the log on the standard error. Default: text; in production JSON."
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address to serve the metrics on.")
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port to serve the metrics on, for Prometheus; of the second worker the next one, and so on. Without it they are not.",
    )
    shutdown_delay: float | None = Field(
        default=None,
        ge=0,
        description="Seconds during which requests are still accepted after SIGTERM, while `/readyz` is 503. Default: 0; in production 5.",
    )
    shutdown_grace: int = Field(
        default=10, ge=0, description="Seconds that running operations may take to end, once no new ones are accepted."
    )
    read_pool_size: int = Field(
        default=8, ge=1, le=200, description="Connections of the read pool; up to a quarter as many more look up tokens."
    )
    write_pool_size: int = Field(default=4, ge=1, le=200, description="Connections of the write pool.")
    read_pool_timeout: float = Field(default=2, gt=0, description="Seconds a query waits for a read connection.")
    write_pool_timeout: float = Field(
        default=8, gt=0, description="Seconds a mutation waits for a write connection; less than `RELATIES_OPERATION_TIMEOUT`."
    )
    statement_timeout: float = Field(default=5, gt=0, description="Seconds one SQL statement may take.")
    operation_timeout: float = Field(default=10, gt=0, description="Seconds one operation may take.")
    delete_timeout: float = Field(default=60, gt=0, description="Seconds deleting a client may take, with everything that belongs to it.")
    max_body_bytes: int = Field(default=1_000_000, gt=0, description="Largest body of a request.")
    max_connections: int = Field(default=1000, ge=1, description="Most connections of clients at once.")
    max_connections_per_address: int | None = Field(
        default=None,
        ge=1,
        description="Connections that one IPv4 address or one IPv6 /64 may hold; trusted proxies are exempt. Unless given: half of "
        "`RELATIES_MAX_CONNECTIONS`.",
    )
    trusted_proxies: Annotated[list[Network] | None, NoDecode] = Field(
        default=None,
        description="Proxies whose `X-Forwarded-For` names the client: addresses and networks with commas between, as "
        "`10.0.0.5, 192.168.0.0/16`.",
    )
    header_timeout: float = Field(default=5, gt=0, description="Seconds the headers of a request may take to arrive.")
    body_timeout: float = Field(
        default=10, gt=0, description="Seconds the body of a request may take to arrive, and one more for each 50 kB."
    )
    send_timeout: float = Field(default=30, gt=0, description="Seconds a client may leave a response unread.")
    keepalive_timeout: int = Field(default=15, ge=1, description="Seconds a connection may be idle between two requests.")
    max_characters: int = Field(default=16_000, gt=0, description="Most characters in a GraphQL document.")
    max_tokens: int = Field(default=2000, gt=0, description="Most tokens in a GraphQL document.")
    max_comments: int = Field(default=50, gt=0, description="Most comments in a GraphQL document.")
    max_operations: int = Field(default=20, gt=0, description="Most operations in a GraphQL document.")
    max_depth: int = Field(default=10, gt=0, description="Most levels of fields in a GraphQL document.")
    max_aliases: int = Field(default=30, gt=0, description="Most aliases in a GraphQL document.")
    max_directives: int = Field(default=20, gt=0, description="Most directives in a GraphQL document.")
    max_root_fields: int = Field(default=20, gt=0, description="Most fields at the root of an operation.")
    max_fields: int = Field(default=400, gt=0, description="Most fields of an operation, its fragments filled in.")
    max_cost: int = Field(default=20_000, gt=0, description="Most points that one operation may cost.")
    max_response_objects: int = Field(default=200_000, gt=0, description="Most objects in one response.")
    max_response_bytes: int = Field(default=16_000_000, gt=0, description="Most bytes in one response.")
    max_incoming_bytes_per_token: int = Field(
        default=16_000_000, gt=0, description="Most bytes of request bodies over 64 kB that one token may have on their way in at once."
    )
    max_incoming_bytes: int = Field(
        default=128_000_000, gt=0, description="Most bytes of request bodies over 64 kB that a worker process takes in at once."
    )
    max_outgoing_bytes_per_token: int = Field(
        default=32_000_000, gt=0, description="Most bytes of responses over 64 kB that the clients of one token may leave unread."
    )
    max_outgoing_bytes: int = Field(
        default=128_000_000, gt=0, description="Most bytes of responses over 64 kB that all clients of a worker process may leave unread."
    )
    rate_limit_restore: int = Field(
        default=10_000, gt=0, description="Points restored per second for a token; twice as many for its organization."
    )
    rate_limit_burst: int = Field(
        default=100_000, gt=0, description="Most points that a token can have; twice as many for its organization."
    )
    max_concurrent: int = Field(default=8, gt=0, description="Operations that run at once; at most `RELATIES_READ_POOL_SIZE`.")
    max_concurrent_per_organization: int = Field(default=4, gt=0, description="Operations of one organization that run at once.")
    queue_size: int = Field(default=500, gt=0, description="Operations that wait in the concurrency queue.")
    queue_size_per_organization: int = Field(
        default=100, gt=0, description="Operations of one organization that wait in the concurrency queue."
    )
    queue_size_per_token: int = Field(default=50, gt=0, description="Operations of one token that wait in the concurrency queue.")
    queue_timeout: float = Field(
        default=5, gt=0, description="Seconds an operation waits in the concurrency queue before it fails with UNAVAILABLE."
    )
    max_auth_failures: int = Field(
        default=20,
        gt=0,
        description="Invalid tokens that one address may send in a minute. Beyond them each gets 429, and its new tokens are checked "
        "one at a time.",
    )
    max_refusals_per_second: int = Field(
        default=200,
        gt=0,
        description="Refusals a second that one organization, or one address without a valid token, gets; more wait. All such addresses "
        "get five times as many.",
    )
    compiled_executor: bool = Field(
        default=True, description="Whether queries run on the compiled executor, or else on graphql-core's own: the answers are the same."
    )
    get_requests: GetPolicy | None = Field(
        default=None,
        description="Accepted by GET: `queries`, `persisted` (known documents), `off`. Default: persisted; in development queries.",
    )
    introspection: bool | None = Field(
        default=None, description="Whether introspection is allowed and errors suggest names. Default: where `/graphiql` is served."
    )
    document_policy: DocumentPolicy = Field(
        default=DocumentPolicy.APQ,
        description="`open`: any document, sent whole; `apq`: also by the hash of one sent before; `trusted-only`: those of the folder.",
    )
    trusted_documents: Path | None = Field(
        default=None,
        description="Folder of documents to request by id: `.graphql`, maps of Relay and GraphQL Code Generator, Apollo's manifest.",
    )
    document_cache_bytes: int = Field(default=32_000_000, gt=0, description="Most bytes of memory for cached documents.")
    cors_origins: Annotated[list[str] | None, NoDecode] = Field(
        default=None, description="Other origins whose pages may send requests, with commas between: `https://app.example`."
    )

    @property
    def database_limits(self) -> DatabaseLimits:
        return DatabaseLimits(
            self.read_pool_size,
            self.write_pool_size,
            self.read_pool_timeout,
            self.statement_timeout,
            self.write_pool_timeout,
            self.delete_timeout,
        )

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _parse_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = [each.strip().lower() for each in value.split(",") if each.strip()]
        if not all(ORIGIN.fullmatch(each) for each in origins):
            raise ValueError("an origin is a scheme and a host, as `https://app.example`: without a path, and never `*`")
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
    def concurrency_limits(self) -> ConcurrencyLimits:
        return ConcurrencyLimits(
            self.max_concurrent,
            self.max_concurrent_per_organization,
            self.queue_size,
            self.queue_size_per_organization,
            self.queue_size_per_token,
            self.queue_timeout,
        )

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
        """The environment variable of a field."""
        alias = cls.model_fields[name].validation_alias
        return alias if isinstance(alias, str) else f"RELATIES_{name}".upper()


def read_settings() -> Settings:
    """Read the settings. Raises `SettingsError` with a line for each invalid variable, never with its value, which may be a password."""
    try:
        return Settings()
    except ValidationError as error:
        messages = (f"{_variable_name(str(detail['loc'][0]))}: {detail['msg']}" for detail in error.errors())
        raise SettingsError(*messages) from None


def unknown_variables() -> list[str]:
    """Return the environment variables that look like settings and are none, such as one that was renamed."""
    known_names = {Settings.variable(name) for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith("RELATIES_") and name not in known_names)


def _variable_name(name: str) -> str:
    return Settings.variable(name) if name in Settings.model_fields else name
