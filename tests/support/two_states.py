"""Switch an organization between two states in one transaction, so that a query that mixes them can be recognized.

All that a query can show differs: names, amounts and versions, and most rows exist twice, so pages, counts and sums differ too.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Table as Columns

from db.tables import Table
from tests.support.builders import Tenant
from tests.support.large_organization import WITHOUT_TRIGGERS

TABLES: dict[str, Columns] = {table.name: table for table in Table.metadata.sorted_tables}
# Rows that have a twin in the second state: by table the column of the twin's id, and other columns that must be unique.
TWIN_COLUMNS: dict[str, tuple[str, dict[str, str]]] = {
    "client": ("id", {"name_key": "t.name_key || '2'", "number": "t.number || '2'", "number_key": "t.number_key || '2'"}),
    "contact": ("id", {"name_key": "t.name_key || '2'"}),
    "label": ("id", {"name_key": "t.name_key || '2'"}),
    "client_contact": ("contact_id", {"is_primary": "false"}),
    "client_label": ("label_id", {}),
    "project": ("id", {}),
    "registration": ("id", {}),
    "invoice": ("id", {"number": "t.number || '2'"}),
    "payment": ("id", {}),
    "payment_allocation": ("payment_id", {}),
    "quote": ("id", {"number": "t.number || '2'"}),
    "quote_line": ("id", {"position": "t.position + 10"}),
    "client_portal": ("id", {}),
    "portal_project": ("project_id", {}),
    "portal_access": ("contact_id", {}),
    "audit_event": ("id", {}),
}
# Values that differ between the states in each row; `{state}` is the number of the state.
NAME = "split_part({column}, ' ~', 1) || ' ~{state}'"
VALUES: dict[str, dict[str, str]] = {
    "organization": {"name": NAME},
    "member": {"name": NAME},
    "client": {"name": NAME, "email": "'v{state}@test.example'", "phone": "'{state}'", "default_hourly_rate": "100 + {state}"},
    "client_address": {"city": NAME},
    "contact": {"last_name": NAME, "email": "'v{state}@test.example'"},
    "client_contact": {"position": "{column} % 100 + 100 * {state}", "is_invoice_contact": "{state} = 1"},
    "label": {"name": NAME, "color": "'#10203{state}'"},
    "project": {"name": NAME},
    "client_portal": {"name": NAME},
    "registration": {"note": "'{state}'"},
    "invoice": dict.fromkeys(("net", "net_base", "gross", "gross_base"), "round({column}, 1) + 0.01 * {state}"),
    "quote": {"reference": "'{state}'"},
    "audit_event": {"operation": "'{state}'"},
}


def _twin_statement(table: str, state: int) -> str:
    """Return the statement that adds the twins, or for state 0 removes them."""
    key, more = TWIN_COLUMNS[table]
    twin = "md5(t.{0}::text || 'twin')::uuid"
    mine = f"FROM relaties.{table} t WHERE t.tenant_id = '{{tenant}}'"
    if not state:
        return f"DELETE FROM relaties.{table} WHERE tenant_id = '{{tenant}}' AND {key} IN (SELECT {twin.format(key)} {mine})"
    column_values = more | {key: twin.format(key)}
    names = [column.name for column in TABLES[table].columns if column.computed is None]
    values = ", ".join(column_values.get(name, f"t.{name}") for name in names)
    return f"INSERT INTO relaties.{table} ({', '.join(names)}) SELECT {values} {mine}"


def _update_statement(table: str, values: dict[str, str], state: int) -> str:
    version_values = {"version": "10 + {state}"} if "version" in TABLES[table].columns else {}
    parts = ", ".join(f"{name} = {value.format(column=name, state=state)}" for name, value in (values | version_values).items())
    return f"UPDATE relaties.{table} SET {parts.format(state=state)} WHERE tenant_id = '{{tenant}}'"


def _state_script(state: int) -> str:
    return "; ".join(
        [
            *(_twin_statement(table, state) for table in TWIN_COLUMNS),
            *(_update_statement(table, values, state) for table, values in VALUES.items()),
        ]
    )


STATE_SCRIPTS = [_state_script(0), _state_script(1)]


@dataclass
class TwoStateOrganization:
    """The organization and its state: 0 as created, or 1."""

    org: Tenant
    state: int = 0

    async def toggle(self) -> None:
        """Commit the other state."""
        self.state = 1 - self.state
        owner = self.org.owner
        async with owner.transaction():
            await owner.execute(f"{WITHOUT_TRIGGERS}; SET LOCAL synchronous_commit = off")  # faster, and visible at once all the same
            await owner.execute(STATE_SCRIPTS[self.state].format(tenant=self.org.id))
            clients = await owner.fetchval("SELECT array_agg(id) FROM relaties.client WHERE tenant_id = $1", self.org.id)
            await self.org.rebuild_monthly_balances(date(2026, 1, 1), *clients)
