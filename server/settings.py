"""Settings: from the environment, read once, here alone."""

import os
import re
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import Field, PostgresDsn, UrlConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from db.engine import DatabaseLimits
from server.addresses import Network, networks
from server.limits import DocumentLimits, Get, Taken, TurnLimits
from server.startup_errors import StartupError

FOR_ROOT = Path("/var/lib/relaties")
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@*]+")


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogForm(StrEnum):
    JSON = "json"
    TEXT = "text"


class SettingsError(StartupError):
    """One line a setting that is wrong."""


def default_data_dir() -> Path:
    """Root's is one that the account that PostgreSQL runs as can reach; a person's is where their programs keep data."""
    return FOR_ROOT if os.geteuid() == 0 else user_data_path("relaties")


Address = Annotated[PostgresDsn, UrlConstraints(allowed_schemes=["postgresql", "postgres"])]


class Settings(BaseSettings):
    """Each field is an environment variable, `RELATIES_` and its name in capitals, unless it names another."""

    model_config = SettingsConfigDict(env_prefix="RELATIES_", populate_by_name=True, extra="ignore", frozen=True)

    database_url: Address | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL of your own, as the role of the server. Without it an embedded PostgreSQL is started.",
    )
    owner_url: Address | None = Field(
        default=None,
        description="The same database as the role that owns it: for migrations, the demo and the commands that manage tokens.",
    )
    direct_url: Address | None = Field(
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
    log: LogForm | None = Field(
        default=None, description="`json` or `text`: the log on the standard error. Unless given: text, in production JSON."
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address to serve the metrics on.")
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port to serve the metrics on, for Prometheus; of the second worker the next one, and so on. Without it they are not.",
    )
    notice_seconds: float | None = Field(
        default=None,
        ge=0,
        description="How long requests are still taken after SIGTERM, while `/readyz` is 503. Unless given: 0; in production 5.",
    )
    drain_seconds: int = Field(default=10, ge=0, description="How long operations under way may take to end, once no more are taken.")
    readers: int = Field(default=8, ge=1, le=200, description="Connections for reading; up to a quarter as many more look tokens up.")
    writers: int = Field(default=4, ge=1, le=200, description="Connections for changes.")
    connection_wait_seconds: float = Field(default=2, gt=0, description="How long a query waits for a connection.")
    turn_seconds: float = Field(default=8, gt=0, description="How long a change waits for its turn; less than an operation may take.")
    statement_seconds: float = Field(default=5, gt=0, description="How long one SQL statement may take.")
    operation_seconds: float = Field(default=10, gt=0, description="How long one operation may take.")
    long_seconds: float = Field(default=60, gt=0, description="How long deleting a client may take, with all that hangs on it.")
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
    header_seconds: float = Field(default=5, gt=0, description="How long the headers of a request may take to arrive.")
    body_seconds: float = Field(default=10, gt=0, description="How long its body may take, and a second more for each 50 kB.")
    unread_seconds: float = Field(default=30, gt=0, description="How long a client may leave its answer unread.")
    keep_alive_seconds: int = Field(default=15, ge=1, description="How long a connection may rest between two requests.")
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
    points_per_second: int = Field(default=10_000, gt=0, description="Points that a token gets back each second; its organization, twice.")
    points: int = Field(default=100_000, gt=0, description="Points that a token can save up; its organization, twice.")
    running: int = Field(default=8, gt=0, description="Operations that run at once; no more than there are readers.")
    running_of_one: int = Field(default=4, gt=0, description="Operations of one organization that run at once.")
    waiting: int = Field(default=500, gt=0, description="Operations that wait for their turn at once.")
    waiting_of_organization: int = Field(default=100, gt=0, description="Operations of one organization that wait for their turn.")
    waiting_of_token: int = Field(default=50, gt=0, description="Operations of one token that wait for their turn.")
    waiting_seconds: float = Field(default=5, gt=0, description="How long an operation waits for its turn.")
    refused_tokens: int = Field(
        default=20,
        gt=0,
        description="Wrong tokens that one address may send in a minute. Beyond them it gets 429 for each, and its new tokens are checked "
        "one at a time.",
    )
    max_refusals_per_second: int = Field(
        default=200,
        gt=0,
        description="Refusals a second that one organization, or one address without a valid token, gets; more wait. All such addresses "
        "get five times as many.",
    )
    compiled: bool = Field(
        default=True, description="Whether queries run on the compiled executor, or else on graphql-core's own: the answers are the same."
    )
    get: Get | None = Field(
        default=None,
        description="What may be asked by GET: `queries`, `persisted` (known documents), `off`. In development queries, else persisted.",
    )
    introspection: bool | None = Field(
        default=None, description="Whether the schema can be asked for, and errors suggest names. Unless given: where `/graphiql` is."
    )
    documents: Taken = Field(
        default=Taken.APQ,
        description="`open`: any document, sent whole; `apq`: also by the hash of one sent before; `trusted-only`: those of the folder.",
    )
    trusted_documents: Path | None = Field(
        default=None,
        description="Folder of documents that may be asked by id: `.graphql`, maps of Relay and GraphQL Code Generator, Apollo's manifest.",
    )
    documents_bytes: int = Field(default=32_000_000, gt=0, description="Memory for documents that were asked before.")
    cors_origins: Annotated[list[str] | None, NoDecode] = Field(
        default=None, description="Web pages of other origins that may ask, with commas between: `https://app.example`."
    )

    @property
    def limits(self) -> DatabaseLimits:
        return DatabaseLimits(
            self.readers, self.writers, self.connection_wait_seconds, self.statement_seconds, self.turn_seconds, self.long_seconds
        )

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        found = [each.strip().lower() for each in given.split(",") if each.strip()]
        if not all(ORIGIN.fullmatch(each) for each in found):
            raise ValueError("an origin is a scheme and a host, as `https://app.example`: without a path, and never `*`")
        return found

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, given: object) -> object:
        return networks(given) if isinstance(given, str) else given

    @property
    def connections_per_address(self) -> int:
        return self.max_connections_per_address or (self.max_connections + 1) // 2

    @property
    def document_limits(self) -> DocumentLimits:
        return DocumentLimits(**{each.name: getattr(self, f"max_{each.name}") for each in fields(DocumentLimits)})

    @property
    def turns(self) -> TurnLimits:
        return TurnLimits(
            self.running, self.running_of_one, self.waiting, self.waiting_of_organization, self.waiting_of_token, self.waiting_seconds
        )

    @property
    def takes_get(self) -> Get:
        return self.get or (Get.QUERIES if self.env is Environment.DEVELOPMENT else Get.PERSISTED)

    @property
    def has_introspection(self) -> bool:
        return self.has_graphiql if self.introspection is None else self.introspection

    @property
    def has_graphiql(self) -> bool:
        return self.env is Environment.DEVELOPMENT if self.graphiql is None else self.graphiql

    @property
    def log_form(self) -> LogForm:
        return self.log or (LogForm.TEXT if self.env is Environment.DEVELOPMENT else LogForm.JSON)

    @property
    def notice_s(self) -> float:
        return (0 if self.env is Environment.DEVELOPMENT else 5) if self.notice_seconds is None else self.notice_seconds

    @classmethod
    def variable(cls, name: str) -> str:
        """The environment variable of a field."""
        alias = cls.model_fields[name].validation_alias
        return alias if isinstance(alias, str) else f"RELATIES_{name}".upper()


def settings() -> Settings:
    """Refuses with a line for each that is wrong: the variable and why, never its value, which may be a password."""
    try:
        return Settings()
    except ValidationError as wrong:
        faults = (f"{_variable(str(fault['loc'][0]))}: {fault['msg']}" for fault in wrong.errors())
        raise SettingsError(*faults) from None


def _variable(name: str) -> str:
    return Settings.variable(name) if name in Settings.model_fields else name
