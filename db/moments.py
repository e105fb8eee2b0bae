"""Moments: in UTC and to the millisecond, as they are stored and shown. A value that was served finds its row again."""

from datetime import UTC, datetime

OFFSET = "+00:00"  # of UTC, as Python writes it


def now() -> datetime:
    return truncate(datetime.now(UTC))


def truncate(moment: datetime) -> datetime:
    """Return the moment without what is less than a millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def as_text(moment: datetime) -> str:
    """Return the moment in UTC as RFC 3339 has it, with exactly three digits after the point: `2026-11-30T03:26:22.523Z`."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="milliseconds")[: -len(OFFSET)] + "Z"
