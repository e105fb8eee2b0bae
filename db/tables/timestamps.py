"""Timestamps in UTC with milliseconds. They are stored as they are returned, so that a returned value finds its row again."""

from datetime import UTC, datetime

UTC_OFFSET = "+00:00"  # as `datetime.isoformat` writes it


def now() -> datetime:
    return truncate(datetime.now(UTC))


def truncate(timestamp: datetime) -> datetime:
    """Truncate a timestamp to milliseconds."""
    return timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000)


def format_timestamp(timestamp: datetime) -> str:
    """Format a timestamp by RFC 3339, in UTC with exactly three decimals: `2026-11-30T03:26:22.523Z`."""
    in_utc = timestamp if timestamp.tzinfo is UTC else timestamp.astimezone(UTC)
    return in_utc.isoformat(timespec="milliseconds")[: -len(UTC_OFFSET)] + "Z"
