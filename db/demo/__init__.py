"""A believable demo organization: invented, the same on every machine, and as large as a real one."""

from db.demo.loading import is_loaded, load
from db.demo.organization import OWNER, TENANT
from db.demo.size import FULL, Size

__all__ = ["FULL", "OWNER", "TENANT", "Size", "is_loaded", "load"]
