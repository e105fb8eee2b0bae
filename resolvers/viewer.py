"""How the viewer is answered."""

from domain.scope import Actor
from resolvers.context import Info


def viewer(info: Info) -> Actor:
    return info.context.actor
