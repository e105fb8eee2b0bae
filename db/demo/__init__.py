"""The demo organization: realistic, invented data, which is the same on every machine."""

from db.demo.loading import is_loaded, load
from db.demo.organization import OWNER_EMAIL, TENANT
from db.demo.size import FULL, Size

__all__ = ["FULL", "OWNER_EMAIL", "TENANT", "Size", "is_loaded", "load"]
