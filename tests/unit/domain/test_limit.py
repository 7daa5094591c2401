"""Limits read what people write and nothing else."""

import pytest

from hotline.domain.limit import Limit, LimitError, Unit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("180m", Limit(180, Unit.MINUTES)),
        ("24h", Limit(24, Unit.HOURS)),
        ("5wd", Limit(5, Unit.WORKING_DAYS)),
        ("2h clock", Limit(2, Unit.HOURS, clock=True)),
        ("30m clock", Limit(30, Unit.MINUTES, clock=True)),
    ],
)
def test_parse_and_str_are_inverse(text: str, limit: Limit) -> None:
    assert Limit.parse(text) == limit
    assert str(limit) == text


@pytest.mark.parametrize("text", [" 24 h ", "24 h"])
def test_spaces_are_forgiven(text: str) -> None:
    assert Limit.parse(text) == Limit(24, Unit.HOURS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "24",
        "24d",
        "1.5h",
        "-1h",
        "+1h",
        "２４h",
        "24H",
        "24h clocks",
        "24h\0",
        "1e3m",
        "9" * 5000 + "m",
        "24h\nclock",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(LimitError, match="write '180m'"):
        Limit.parse(text)


@pytest.mark.parametrize("value", [None, 24, 2.5, True, ["24h"], {"h": 24}])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(LimitError, match=type(value).__name__):
        Limit.parse(value)


def test_amounts_out_of_reason_are_refused() -> None:
    for text in ("0m", "0h clock", "0wd"):
        with pytest.raises(LimitError, match="positive"):
            Limit.parse(text)
    for text in ("999999999m", "90000h", "90000h clock", "4000wd"):
        with pytest.raises(LimitError, match="ten years"):
            Limit.parse(text)
    with pytest.raises(LimitError, match="positive"):
        Limit(-3, Unit.HOURS)
    with pytest.raises(LimitError, match="whole number"):
        Limit(1.5, Unit.HOURS)  # type: ignore[arg-type]
    with pytest.raises(LimitError, match="clock"):
        Limit.parse("5wd clock")


def test_length() -> None:
    assert Limit.parse("90m").seconds == 5400
    assert Limit.parse("2h clock").seconds == 7200
    with pytest.raises(LimitError, match="without a calendar"):
        _ = Limit.parse("1wd").seconds
