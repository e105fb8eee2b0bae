"""Define which status of a registration can follow which, and in which statuses the registration itself can change."""

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
"""Map the current status to the statuses that users can set. Only invoicing sets INVOICED."""
CHANGEABLE = frozenset({OPEN, PENDING, REJECTED})
CLIENT_STATUSES = (OPEN, PENDING, APPROVED, REJECTED)
INVOICED_MESSAGE = "An invoiced registration cannot change. Create a new registration for the difference."


def require_transition(current: RegistrationStatus, new_status: RegistrationStatus) -> None:
    """Raise `RuleViolation` unless the status stays the same or the transition is allowed."""
    next_statuses = TRANSITIONS[current]
    if new_status not in {current, *next_statuses}:
        choices = " or ".join(next_statuses)
        message = f"The status cannot change from {current} to {new_status}. Choose {choices}." if next_statuses else INVOICED_MESSAGE
        raise RuleViolation(RegistrationLocked(["status"], message, current, [*next_statuses]))


def require_client_transition(current: RegistrationStatus, new_status: RegistrationStatus) -> None:
    """Raise `RuleViolation` unless the status stays the same or is one that a client can set."""
    if new_status not in {current, *CLIENT_STATUSES}:
        message = f"`clientStatus` must be {', '.join(CLIENT_STATUSES[:-1])} or {CLIENT_STATUSES[-1]}."
        raise RuleViolation(InvalidInput(["clientStatus"], message))


def require_changeable(current: RegistrationStatus) -> None:
    if current not in CHANGEABLE:
        hint = f"A registration with the status {current} cannot change. Set it to {OPEN} first with `registrationStatusUpdate`."
        message = hint if TRANSITIONS[current] else INVOICED_MESSAGE
        raise RuleViolation(RegistrationLocked(["id"], message, current, [*TRANSITIONS[current]]))
