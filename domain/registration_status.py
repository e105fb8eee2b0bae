"""How far a registration is: where it can go from there, and whether it can be changed."""

from db.tables import RegistrationStatus
from domain.errors import InvalidInput, Refused, RegistrationLocked

OPEN, PENDING, APPROVED, INVOICED, WRITTEN_OFF, REJECTED = RegistrationStatus
NEXT: dict[RegistrationStatus, tuple[RegistrationStatus, ...]] = {
    OPEN: (PENDING, APPROVED, WRITTEN_OFF),
    PENDING: (OPEN, APPROVED, REJECTED, WRITTEN_OFF),
    APPROVED: (OPEN, WRITTEN_OFF),
    REJECTED: (OPEN, PENDING),
    WRITTEN_OFF: (OPEN,),
    INVOICED: (),
}
"""By status, where somebody can take it; invoicing alone makes it INVOICED."""
CHANGEABLE = frozenset({OPEN, PENDING, REJECTED})
OF_CLIENT = (OPEN, PENDING, APPROVED, REJECTED)
FINAL = "It was invoiced, and stays as it is. Register what differs anew."


def must_go(current: RegistrationStatus, wanted: RegistrationStatus) -> None:
    """As it stands, or one step on."""
    allowed = NEXT[current]
    if wanted not in {current, *allowed}:
        steps = " or ".join(allowed)
        message = f"A registration that is {current} goes to {steps}, not to {wanted}." if allowed else FINAL
        raise Refused(RegistrationLocked(["status"], message, current, [*allowed]))


def must_go_for_client(current: RegistrationStatus, wanted: RegistrationStatus) -> None:
    """Freely among those that are the client's to say."""
    if wanted not in {current, *OF_CLIENT}:
        raise Refused(InvalidInput(["clientStatus"], f"For the client a registration is {', '.join(OF_CLIENT[:-1])} or {OF_CLIENT[-1]}."))


def must_be_changeable(current: RegistrationStatus) -> None:
    if current not in CHANGEABLE:
        message = f"It is {current}. Take it back to {OPEN} first with `registrationStatusUpdate`." if NEXT[current] else FINAL
        raise Refused(RegistrationLocked(["id"], message, current, [*NEXT[current]]))
