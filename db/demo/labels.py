"""Which labels the clients bear."""

from typing import NamedTuple
from uuid import UUID

from db.demo.clients import Client
from db.demo.dice import Dice
from db.demo.organization import TENANT, LabelRow

COUNTS = (0, 0, 1, 1, 1, 2, 2, 3, 4)


class ClientLabelRow(NamedTuple):
    client_id: UUID
    label_id: UUID
    tenant_id: UUID = TENANT


def of_clients(clients: list[Client], labels: list[LabelRow]) -> list[ClientLabelRow]:
    dice = Dice("labels")
    return [
        ClientLabelRow(client.row.id, label.id) for client in clients for label in dice.sample(labels, min(dice.pick(COUNTS), len(labels)))
    ]
