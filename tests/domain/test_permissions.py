"""Compare the permissions of each role with the product's table, row by row."""

import pytest

from db.tables import Role
from domain.core.scope import ROLE_PERMISSIONS, Permission

TABLE = {
    "CLIENTS_READ": "OWNER ADMIN FINANCE MEMBER VIEWER",
    "CLIENTS_WRITE": "OWNER ADMIN FINANCE MEMBER",
    "REGISTRATIONS_WRITE": "OWNER ADMIN FINANCE MEMBER",
    "FINANCE_READ": "OWNER ADMIN FINANCE",
    "FINANCE_WRITE": "OWNER ADMIN FINANCE",
    "CLIENTS_ARCHIVE": "OWNER ADMIN",
    "CLIENTS_IMPORT": "OWNER ADMIN FINANCE",
    "CLIENTS_EXPORT": "OWNER ADMIN FINANCE",
    "ORGANIZATION_WRITE": "OWNER ADMIN",
    "OWNERS_WRITE": "OWNER",
}


@pytest.mark.parametrize("permission", Permission)
def test_permission_belongs_to_exactly_its_roles(permission: Permission) -> None:
    assert {role for role in Role if permission in ROLE_PERMISSIONS[role]} == set(TABLE[permission].split())
