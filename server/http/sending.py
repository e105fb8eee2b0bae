"""Send response bodies that are too large for the buffers of the system."""

from starlette.types import Send

from domain.core.scope import Actor
from server.admission.byte_budget import ByteBudget


async def send_large(send: Send, body: bytes, budget: ByteBudget, actor: Actor) -> None:
    """Send a large body, and count it until the client has read nearly all of it.

    The second `send` waits for that: uvicorn blocks it while the write buffer is full.
    """
    with budget.track(actor) as byte_counter:
        byte_counter.add(len(body))
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
