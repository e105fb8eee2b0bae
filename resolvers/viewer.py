"""The resolver of the viewer."""

from domain.core.scope import Actor
from resolvers.context import Info


def get_viewer(info: Info) -> Actor:
    return info.context.actor
