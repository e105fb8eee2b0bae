"""Write the SQL of every query into `golden/` after a change on purpose: `python -m tests.db.write_golden`."""

from tests.db.test_golden import GOLDEN, format_sql
from tests.support.product_queries import ALL


def write_golden() -> None:
    for path in GOLDEN.glob("*.sql"):
        path.unlink()
    for name, query in ALL.items():
        (GOLDEN / f"{name}.sql").write_text(format_sql(query.sql))


if __name__ == "__main__":
    write_golden()
