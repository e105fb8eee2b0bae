"""How clients are answered."""

from db.rows import ClientRow
from domain import clients
from domain.pages import Page
from resolvers.arguments import After, First
from resolvers.context import Info


async def page(info: Info, first: First = 25, after: After = None) -> Page[ClientRow]:
    return await clients.page(info.context.read(), first=first, after=after)
