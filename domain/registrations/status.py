"""Define the transitions of a registration's status, and when it can change."""

from db.tables import RegistrationStatus
from domain.core.errors import InvalidInput, RegistrationLocked, RuleViolation

OPEN, PENDING, APPROVED, INVOICED, WRITTEN_OFF, REJECTED = RegistrationStatus
TRANSITIONS: dict[RegistrationStatus, tuple[RegistrationStatus, ...]] = {
    OPEN: (PENDING, APPROVED, WRITTEN_OFF),
    PENDING: (OPEN, APPROVED, REJECTED, WRITTEN_OFF),
    APPROVED: (OPEN, WRITTEN_OFF),
    REJECTED: (OPEN, PENDING),
    WRITTEN_OFF: (OPEN,),
    INVOICED: (),
}
"""The statuses that users can set, by current status; only invoicing sets INVOICED."""
CHANGEABLE = frozenset({OPEN, PENDING, REJECTED})
CLIENT_STATUSES = (OPEN, PENDING, APPROVED, REJECTED)
INVOICED_MESSAGE = "It was invoiced and cannot change. Create a new registration for the difference."


def require_transition(current: RegistrationStatus, new_status: RegistrationStatus) -> None:
    """Raise `RuleViolation` unless the status stays or makes an allowed transition."""
    next_statuses = TRANSITIONS[current]
    if new_status not in {current, *next_statuses}:
        steps = " or ".join(next_statuses)
        message = f"A registration that is {current} goes to {steps}, not to {new_status}." if next_statuses else INVOICED_MESSAGE
        raise RuleViolation(RegistrationLocked(["status"], message, current, [*next_statuses]))


def require_client_transition(current: RegistrationStatus, new_status: RegistrationStatus) -> None:
    """Raise `RuleViolation` unless the status is one that a client can set."""
    if new_status not in {current, *CLIENT_STATUSES}:
        raise RuleViolation(
            InvalidInput(["clientStatus"], f"For the client a registration is {', '.join(CLIENT_STATUSES[:-1])} or {CLIENT_STATUSES[-1]}.")
        )


def require_changeable(current: RegistrationStatus) -> None:
    if current not in CHANGEABLE:
        message = (
            f"It is {current}. Take it back to {OPEN} first with `registrationStatusUpdate`." if TRANSITIONS[current] else INVOICED_MESSAGE
        )
        raise RuleViolation(RegistrationLocked(["id"], message, current, [*TRANSITIONS[current]]))
