"""Settings: one frozen object from the environment, and errors that name the variable and say what to do."""

import os

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from hotline.settings import HINTS, Settings, SettingsError, load_settings

KEY = "dGVzdHMgdXNlIHRoaXMga2V5IGFuZCBub2JvZHkgZWw="
GOOD = {
    "HOTLINE_DATABASE_URL": "postgresql+psycopg://hotline:geheim@db/hotline",
    "HOTLINE_REDIS_URL": "redis://cache:6379/0",
    "HOTLINE_SECRET_KEY": "s" * 32,
    "HOTLINE_INDEX_KEY": "i" * 32,
    "HOTLINE_ENCRYPTION_KEYS": KEY,
}
REQUIRED = tuple(GOOD)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with the good settings and nothing else."""
    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def said() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_good_settings_are_read_with_sensible_defaults() -> None:
    settings = load_settings()
    assert settings.environment == "production"
    assert settings.log_level == "INFO"
    assert settings.database_url == GOOD["HOTLINE_DATABASE_URL"]
    assert [key.get_secret_value() for key in settings.encryption_keys] == [KEY]


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    assert said() == f"{name} is not set; {HINTS[name.removeprefix('HOTLINE_').lower()]}"


def test_everything_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name)
    lines = said().splitlines()
    assert [line.split()[0] for line in lines] == list(REQUIRED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:geheim@db/hotline"),
        ("DATABASE_URL", "sqlite:///hotline.db"),
        ("DATABASE_URL", "geheim"),
        ("DATABASE_URL", ""),
        ("REDIS_URL", "http://geheim@cache"),
        ("REDIS_URL", ""),
        ("SECRET_KEY", "geheim"),
        ("SECRET_KEY", ""),
        ("INDEX_KEY", "geheim"),
        ("ENCRYPTION_KEYS", "geheim"),
        ("ENCRYPTION_KEYS", ""),
        ("ENCRYPTION_KEYS", f"{KEY},"),
        ("ENCRYPTION_KEYS", f"{KEY},geheim"),
        ("ENVIRONMENT", "geheim"),
        ("LOG_LEVEL", "geheim"),
        ("SESSION_HOURS", "geheim"),
        ("SESSION_HOURS", "0"),
        ("SESSION_HOURS", "73"),
        ("DATABASE_POOL", "0"),
        ("DATABASE_POOL", "1.5"),
        ("JOB_LEASE_SECONDS", "-1"),
        ("TICK_SECONDS", "0"),
        ("TICK_SECONDS", "nan"),
        ("COMPOSITE_WEIGHTS", "geheim"),
        ("COMPOSITE_WEIGHTS", "0.5,0.5"),
        ("COMPOSITE_WEIGHTS", "0,0,0"),
        ("COMPOSITE_WEIGHTS", "1,-1,1"),
        ("COMPOSITE_WEIGHTS", "1,nan,1"),
        ("COMPOSITE_WEIGHTS", ""),
    ],
)
def test_a_wrong_value_is_named_and_never_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"HOTLINE_{name}", value)
    (line,) = set(said().splitlines())
    assert line.startswith(f"HOTLINE_{name} is wrong: ")
    assert "; " in line
    assert "geheim" not in line.lower()
    assert KEY not in line


def test_several_keys_are_read_in_order_with_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    older = Fernet.generate_key().decode()
    monkeypatch.setenv("HOTLINE_ENCRYPTION_KEYS", f"{KEY} , {older}")
    assert [key.get_secret_value() for key in load_settings().encryption_keys] == [KEY, older]


def test_the_composite_weighs_as_the_city_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().composite_weights == (0.30, 0.35, 0.35)
    monkeypatch.setenv("HOTLINE_COMPOSITE_WEIGHTS", "0.2, 0.4,0.4")
    assert load_settings().composite_weights == (0.2, 0.4, 0.4)


def test_a_plain_postgresql_address_gets_our_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://hotline@db/hotline")
    assert load_settings().database_url == "postgresql+psycopg://hotline@db/hotline"


@pytest.mark.parametrize("url", ["redis://cache", "rediss://cache:6380/1", "unix:///run/redis.sock"])
def test_redis_may_be_reached_by_network_or_socket(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HOTLINE_REDIS_URL", url)
    assert load_settings().redis_url == url


def test_settings_do_not_change_and_do_not_show_their_secrets() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.log_level = "DEBUG"  # type: ignore[misc]
    assert not [secret for secret in ("s" * 32, "i" * 32, KEY) if secret in f"{settings!r} {settings}"]


def test_variables_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_SOMETHING_ELSE", "x")
    monkeypatch.setenv("DATABASE_URL", "mysql://elsewhere")
    assert isinstance(load_settings(), Settings)


NOTIFIERS = [
    ({"notifier": "pigeon"}, "HOTLINE_NOTIFIER"),
    ({"notifier": "webhook"}, "needs HOTLINE_NOTIFY_URL and HOTLINE_NOTIFY_SECRET"),
    ({"notifier": "webhook", "notify_url": "https://city.example/x"}, "needs HOTLINE_NOTIFY_SECRET"),
    ({"notify_url": "http://city.example/x"}, "HOTLINE_NOTIFY_URL"),
    ({"notify_secret": "short"}, "HOTLINE_NOTIFY_SECRET"),
    ({"notifier": "smtp", "smtp_host": "mail.city.example"}, "needs HOTLINE_SMTP_FROM"),
    ({"notifier": "smtp", "smtp_from": "nobody"}, "HOTLINE_SMTP_FROM"),
    (
        {"notifier": "smtp", "smtp_host": "mail.city.example", "smtp_from": "a@b.example", "smtp_security": "none"},
        "only goes to this machine",
    ),
]


@pytest.mark.parametrize(("given", "expected"), NOTIFIERS)
def test_a_notifier_without_what_it_needs_says_so(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"HOTLINE_{name.upper()}", value)
    assert expected in said()
