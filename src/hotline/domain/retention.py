"""Retention (保存期限): how long personal data of an ended ticket is kept, and what stands in its place afterwards.

Source: Personal Information Protection Law, Article 19 (kept no longer than its purpose needs) and Article 47
(deletion).
"""

from datetime import datetime, timedelta

# What is left of words that were closed out.  The database lets an event's reason be changed into this alone.
CLOSED_OUT = "[closed out]"

DEFAULT_DAYS = 3 * 365


def closes_before(now: datetime, days: int) -> datetime:
    """Return the instant before which a ticket must have ended for its personal data to go."""
    return now - timedelta(days=days)
