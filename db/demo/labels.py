"""The labels of the clients."""

from typing import NamedTuple
from uuid import UUID

from db.demo.clients import DemoClient
from db.demo.organization import TENANT, LabelRecord
from db.demo.rng import Rng

COUNTS = (0, 0, 1, 1, 1, 2, 2, 3, 4)  # of the labels of a client, one of which is drawn


class ClientLabelRecord(NamedTuple):
    client_id: UUID
    label_id: UUID
    tenant_id: UUID = TENANT


def label_clients(clients: list[DemoClient], labels: list[LabelRecord]) -> list[ClientLabelRecord]:
    rng = Rng("labels")
    return [
        ClientLabelRecord(client.row.id, label.id) for client in clients for label in rng.sample(labels, min(rng.pick(COUNTS), len(labels)))
    ]
