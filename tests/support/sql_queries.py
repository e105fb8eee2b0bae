"""Queries that need no tables: one row, a slow query, a failing query, and a session setting."""

from sqlalchemy import ColumnElement, Float, Integer, Text, cast, func, literal_column, select

from db.engine.statement import Query, Row
from db.sql.expressions import TENANT, parameter


class Number(Row):
    number: int


class Setting(Row):
    tenant: str


SLEEP = func.length(cast(func.pg_sleep(parameter("seconds", Float())), Text()))
ONE_QUERY = Query(select(literal_column("1", Integer()).label("number")).where(TENANT.is_not(None)), Number)
SLOW_QUERY = Query(select(SLEEP.label("number")).where(TENANT.is_not(None)), Number)
FAILING_QUERY = Query(
    select((literal_column("1", Integer()) / literal_column("0", Integer())).label("number")).where(TENANT.is_not(None)), Number
)


def select_setting(name: str) -> ColumnElement[str]:
    return func.current_setting(literal_column(f"'{name}'", Text())).label(name.rpartition(".")[2])


TENANT_QUERY = Query(select(select_setting("app.tenant")).where(TENANT.is_not(None)), Setting)
