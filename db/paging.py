"""A place in an order of rows: the value sorted by, and the id that breaks ties."""

from typing import TypeAlias
from uuid import UUID

Key: TypeAlias = tuple[str | int, UUID]
