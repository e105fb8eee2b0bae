"""Fields and arguments of the mutations on members."""

from typing import Any

from db.tables import Role
from tests.support.builders import Tenant
from tests.support.ids import global_id

MEMBER = "member { id name email role isActive version }"


async def member_arguments(org: Tenant, role: Role) -> dict[str, Any]:
    """Return the id and expected version of the member with this role, as mutations take them."""
    member_key = await org.owner.fetchval(
        "SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = $2 ORDER BY id LIMIT 1", org.id, role
    )
    return {"id": global_id("Member", member_key), "expectedVersion": 1}
