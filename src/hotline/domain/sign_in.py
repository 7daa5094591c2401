"""The rules of signing in: what a password must be, when an account is locked and for how long.

Source: MLPS 2.0 level 3, identification (complexity, handling of failed logins, two factors).
"""

from datetime import timedelta

SHORTEST_PASSWORD = 12
# In a demo, whose passwords are printed on the screen.
SHORTEST_DEMO_PASSWORD = 8
LONGEST_PASSWORD = 200

FAILURES_BEFORE_LOCK = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=8)


def lock_after(failures: int) -> timedelta | None:
    """Return how long an account is locked after ``failures`` in a row, None when this failure does not lock it.

    Every fifth failure locks it: for 15 minutes, then 30, 60 and so on up to 8 hours.
    """
    if failures <= 0 or failures % FAILURES_BEFORE_LOCK:
        return None
    doublings = min(failures // FAILURES_BEFORE_LOCK - 1, 10)
    lock: timedelta = min(FIRST_LOCK * 2**doublings, LONGEST_LOCK)
    return lock


def password_refusal(password: str, username: str, *, shortest: int = SHORTEST_PASSWORD) -> str | None:
    """Return why ``password`` will not do for ``username``, None when it will.

    Length counts, not kinds of characters: those make people write passwords down (NIST SP 800-63B, 5.1.1).
    """
    if not shortest <= len(password) <= LONGEST_PASSWORD:
        return f"a password has {shortest} to {LONGEST_PASSWORD} characters"
    if not password.isprintable():
        return "a password has printable characters only"
    if len(set(password)) < min(5, shortest):
        return "a password has at least five different characters"
    if username and username.lower() in password.lower():
        return "a password does not contain the user name"
    return None
