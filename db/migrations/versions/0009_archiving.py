"""Archive operations, deletion records, and a trigger that rejects changes of registrations of archived clients and projects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_level_security import enable_row_level_security

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None
# The domain checks this first, with a readable error; the trigger covers every other way to write a registration. It takes the locks that
# the domain holds already, so that an archive operation at the same time comes before or after it. Code that deletes a client or loads old
# data sets `app.guard` to `off`.
REFUSE = """CREATE FUNCTION relaties.refuse_on_archived() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  clients uuid[]; projects uuid[]; since timestamptz;
BEGIN
  IF TG_OP = 'INSERT' THEN
    clients := ARRAY[NEW.client_id]; projects := ARRAY[NEW.project_id];
  ELSIF TG_OP = 'UPDATE' THEN
    clients := ARRAY[OLD.client_id, NEW.client_id]; projects := ARRAY[OLD.project_id, NEW.project_id];
  ELSE
    clients := ARRAY[OLD.client_id]; projects := ARRAY[OLD.project_id];
  END IF;
  FOR since IN SELECT archived_at FROM relaties.client
    WHERE tenant_id = coalesce(NEW.tenant_id, OLD.tenant_id) AND id = ANY (clients) ORDER BY id FOR SHARE
  LOOP
    IF since IS NOT NULL THEN RAISE 'the client of a registration is archived' USING ERRCODE = 'RL001'; END IF;
  END LOOP;
  FOR since IN SELECT archived_at FROM relaties.project
    WHERE tenant_id = coalesce(NEW.tenant_id, OLD.tenant_id) AND id = ANY (projects) ORDER BY id FOR SHARE
  LOOP
    IF since IS NOT NULL THEN RAISE 'the project of a registration is archived' USING ERRCODE = 'RL001'; END IF;
  END LOOP;
  RETURN coalesce(NEW, OLD);
END $$"""
GUARD = """CREATE TRIGGER registration_on_active BEFORE INSERT OR UPDATE OR DELETE ON relaties.registration FOR EACH ROW
WHEN (current_setting('app.guard', true) IS DISTINCT FROM 'off') EXECUTE FUNCTION relaties.refuse_on_archived()"""
# The server's role can only add audit events. This function deletes those of deleted clients and contacts: it checks that they no longer
# exist, and touches only the current tenant.
ERASE = """CREATE FUNCTION relaties.erase_traces(gone_client uuid, gone_contacts uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own uuid := nullif(current_setting('app.tenant', true), '')::uuid;
BEGIN
  IF own IS NULL OR EXISTS (SELECT FROM relaties.client WHERE tenant_id = own AND id = gone_client)
    OR EXISTS (SELECT FROM relaties.contact WHERE tenant_id = own AND id = ANY (gone_contacts))
  THEN RAISE 'what is still there keeps its traces' USING ERRCODE = 'RL002'; END IF;
  DELETE FROM relaties.audit_event WHERE tenant_id = own AND client_id = gone_client;
  DELETE FROM relaties.audit_event WHERE tenant_id = own AND contact_id = ANY (gone_contacts);
  DELETE FROM relaties.outbox_event WHERE tenant_id = own AND client_id = gone_client;
  DELETE FROM relaties.outbox_event WHERE tenant_id = own AND object_id = ANY (gone_contacts);
END $$"""


def upgrade() -> None:
    for table in ("client", "project"):
        op.add_column(table, sa.Column("archive_operation_id", sa.Uuid(), nullable=True), schema="relaties")
    op.create_table(
        "deletion_record",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("channel IN ('API', 'COMMAND_LINE')", name=op.f("deletion_record_channel_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("deletion_record_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("deletion_record_pk")),
        schema="relaties",
    )
    op.create_index(
        "outbox_event_by_client",
        "outbox_event",
        ["tenant_id", "client_id"],
        unique=False,
        schema="relaties",
        postgresql_where=sa.literal_column("client_id IS NOT NULL"),
    )
    enable_row_level_security("deletion_record")
    for statement in (REFUSE, GUARD, ERASE):
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION relaties.erase_traces(uuid, uuid[]) FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP FUNCTION relaties.erase_traces(uuid, uuid[])")
    op.execute("DROP TRIGGER registration_on_active ON relaties.registration")
    op.execute("DROP FUNCTION relaties.refuse_on_archived()")
    op.drop_index("outbox_event_by_client", table_name="outbox_event", schema="relaties")
    op.drop_table("deletion_record", schema="relaties")
    for table in ("project", "client"):
        op.drop_column(table, "archive_operation_id", schema="relaties")
