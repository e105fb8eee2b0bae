"""Files that jobs make, in parts."""

import sqlalchemy as sa
from alembic import op

from db.migrations.row_level_security import enable_row_level_security

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
# A job worker has no organization, so this function bypasses row-level security. It returns ids only.
FUNCTION = """CREATE FUNCTION relaties.organizations_with_expired_files() RETURNS TABLE (id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT DISTINCT f.tenant_id FROM relaties.file f WHERE f.expires_at <= now()
$$"""


def upgrade() -> None:
    op.create_table(
        "file",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("file_size_check")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("file_expires_check")),
        sa.ForeignKeyConstraint(["tenant_id", "job_id"], ["relaties.job.tenant_id", "relaties.job.id"], name=op.f("file_job_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("file_pk")),
        schema="relaties",
    )
    op.create_index("file_by_job", "file", ["tenant_id", "job_id"], unique=False, schema="relaties")
    op.create_index("file_by_expiry", "file", ["tenant_id", "expires_at", "id"], unique=False, schema="relaties")
    op.create_table(
        "file_part",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("file_part_number_check")),
        sa.CheckConstraint("octet_length(content) BETWEEN 1 AND 262144", name=op.f("file_part_content_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"], ["relaties.file.tenant_id", "relaties.file.id"], name=op.f("file_part_file_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "file_id", "number", name=op.f("file_part_pk")),
        schema="relaties",
    )
    # Store the parts as they are: XLSX is compressed already, and the bytes that an organization may use are then those on the disk.
    op.execute("ALTER TABLE relaties.file_part ALTER COLUMN content SET STORAGE EXTERNAL")
    enable_row_level_security("file", "file_part")
    op.execute(FUNCTION)
    op.execute("REVOKE ALL ON FUNCTION relaties.organizations_with_expired_files() FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP FUNCTION relaties.organizations_with_expired_files()")
    op.drop_table("file_part", schema="relaties")
    op.drop_table("file", schema="relaties")
