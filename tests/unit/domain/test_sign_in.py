"""How long a lock lasts, and what a password must be."""

from datetime import timedelta

import pytest

from hotline.domain.sign_in import SHORTEST_DEMO_PASSWORD, lock_after, password_refusal


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        (1, None),
        (4, None),
        (5, 15),
        (6, None),
        (9, None),
        (10, 30),
        (15, 60),
        (20, 120),
        (25, 240),
        (30, 480),
        (35, 480),
    ],
)
def test_every_fifth_failure_locks_for_longer(failures: int, minutes: int | None) -> None:
    assert lock_after(failures) == (timedelta(minutes=minutes) if minutes else None)


def test_the_lock_never_grows_beyond_bounds() -> None:
    assert lock_after(5_000_000) == timedelta(hours=8)
    assert lock_after(0) is None


@pytest.mark.parametrize("password", ["correct horse battery", "十二个汉字以上的密码也可以用", "a1b2c3d4e5f6"])
def test_long_passwords_will_do(password: str) -> None:
    assert password_refusal(password, "li.na") is None


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "12 to 200"),
        ("x" * 201, "12 to 200"),
        ("aaaaaaaaaaaaaaaa", "five different"),
        ("my name is Li.Na, yes", "user name"),
        ("line\nbreaks are bad", "printable"),
    ],
)
def test_others_are_refused_with_the_reason(password: str, why: str) -> None:
    assert why in (password_refusal(password, "li.na") or "")


def test_a_demo_takes_shorter_ones() -> None:
    assert password_refusal("shorter1", "li.na", shortest=SHORTEST_DEMO_PASSWORD) is None
    assert password_refusal("short", "li.na", shortest=SHORTEST_DEMO_PASSWORD) is not None
