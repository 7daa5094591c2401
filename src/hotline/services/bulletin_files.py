"""A bulletin as files: a workbook that holds every row, and a document in Chinese type."""

import io
import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import hotline
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.figures import FIGURES
from hotline.domain.kpi import AGE_BANDS, Rate
from hotline.services.bulletins import Bulletin, percentage, rows_of_departments

TEMPLATE = Path(__file__).with_name("bulletin.typ")
METHOD = (
    "口径：受理量按受理时间；签收、办结的分母为本期到期的工单，逾期未办计入分母，未到期与挂账中的不计，批准延期按新期限；"
    "解决率 = 回访“已解决” ÷ 有效回访，满意率 =（满意 + 基本满意）÷ 有效评价；样本不足 30 的比率仅供参考；"
    "办理时长为首次派单至首次审核通过的自然时间。各项均可由工单事件重算（hotline reports verify）。"
)


def _moment(instant: datetime) -> str:
    return f"{instant.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}"


def workbook(found: Bulletin) -> bytes:
    """Return the bulletin as an Excel workbook; rates are written as two counts and a formula-free share."""
    # Few processes make files, and each library weighs as much as a worker's model.
    import xlsxwriter

    buffer = io.BytesIO()
    # In constant memory each row leaves as it is written, however many tickets are overdue.
    with xlsxwriter.Workbook(buffer, {"constant_memory": True, "in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        share = book.add_format({"num_format": "0.0%"})
        _Sheet(book, "概况", bold, share).fill(_overview(found))
        head = (
            "承办单位",
            "受理量",
            *_heads(_RATES),
            "平均时长（小时）",
        )
        _Sheet(book, "承办单位", bold, share).fill([head, *map(_department, rows_of_departments(found))])
        tasks = [(line.name, line.received, *_rates(line.rates)) for line in found.report.by_task]
        head = ("任务", "受理量", *_heads([figure.name for figure in FIGURES]))
        _Sheet(book, "七项任务", bold, share).fill([head, *tasks])
        districts = [(line.name, line.received, line.per_ten_thousand) for line in found.report.by_district]
        _Sheet(book, "区域", bold, share).fill([("区域", "受理量", "万人诉求比"), *districts])
        matters = [(hot.matter, hot.name, hot.received, hot.before, *hot.examples) for hot in found.matters]
        _Sheet(book, "热点事项", bold, share).fill([("编码", "事项", "本期", "上期", "例一", "例二"), *matters])
        topics = [(t.name, t.size, t.of, t.before, *t.weeks, _places(t.places)) for t in found.topics]
        head = (
            "主题",
            "本期",
            "受理总量",
            "上期",
            *(f"前{week}周" for week in reversed(range(1, 8))),
            "最近一周",
            "地点",
        )
        _Sheet(book, "热点主题", bold, share).fill([head, *topics])
        alarms = [
            (b.district_name, b.matter_name, _moment(b.at), b.calls, b.expected, "、".join(b.places))
            for b in found.bursts
        ]
        head = ("区域", "事项", "截至", "三小时来电", "同时段通常", "地点")
        _Sheet(book, "突发聚集", bold, share).fill([head, *alarms])
        overdue = [(o.number, o.matter, o.department, _moment(o.due), o.state, o.why) for o in found.overdue]
        head = ("编号", "事项", "承办单位", "期限", "状态", "原因")
        _Sheet(book, "逾期清单", bold, share).fill([head, *overdue])
    return buffer.getvalue()


_RATES = ("按时签收率", "按期办结率", "解决率", "满意率")


def _heads(names: Sequence[str]) -> list[str]:
    return [f"{name}{part}" for name in names for part in ("分子", "分母", "")]


def _places(places: Sequence[tuple[str, int]]) -> str:
    return "、".join(f"{name}（{number}）" for name, number in places)


class Share(float):
    """A share, to be shown as a percentage."""


class _Sheet:
    def __init__(self, book: Any, name: str, bold: Any, share: Any) -> None:
        self._sheet, self._bold, self._share = book.add_worksheet(name), bold, share
        self._sheet.freeze_panes(1, 1)
        self._sheet.set_column(0, 0, 26)
        self._sheet.set_column(1, 40, 13)

    def fill(self, rows: list[Any]) -> None:
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                self._write(number, column, value)

    def _write(self, number: int, column: int, value: Any) -> None:
        if value is None:
            self._sheet.write_string(number, column, "—")
        elif isinstance(value, Share):
            self._sheet.write_number(number, column, value, self._share)
        elif isinstance(value, int | float):
            self._sheet.write_number(number, column, value)
        else:
            # Always as text: what a citizen wrote must never become a formula.
            self._sheet.write_string(number, column, str(value), self._bold if number == 0 else None)


def _three(rate: Rate) -> tuple[int, int, Share | None]:
    return rate.numerator, rate.denominator, None if rate.value is None else Share(rate.value)


def _rates(rates: Any) -> list[int | Share | None]:
    return [cell for figure in FIGURES for cell in _three(rates[figure.key])]


def _department(row: tuple[str, int, list[tuple[int, int]], float | None]) -> tuple[Any, ...]:
    name, received, rates, hours = row
    return name, received, *(cell for rate in rates for cell in _three(Rate(*rate))), hours


def _overview(found: Bulletin) -> list[tuple[Any, ...]]:
    told = found.report
    number = told.total.received
    rows: list[tuple[Any, ...]] = [
        ("指标", "分子", "分母", "本期", "剔除后", "上期", "去年同期"),
        ("受理量", number, None, number, None, told.previous.received, told.last_year.received),
    ]
    for figure in FIGURES:
        after, before, year = (told.total.rates_after, told.previous.rates, told.last_year.rates)
        others = [_three(rates[figure.key])[2] for rates in (after, before, year)]
        rows.append((figure.name, *_three(told.total.rates[figure.key]), *others))
    for name, key in (("平均", "mean"), ("中位", "median"), ("P90", "p90"), ("P95", "p95")):
        seconds = [getattr(line.handling, key) for line in (told.total, told.previous, told.last_year)]
        hours, *others = (None if value is None else value / 3600 for value in seconds)
        rows.append((f"{name}办理时长（小时）", None, told.total.handling.count, hours, None, *others))
    rows.append(("期末在办", sum(told.backlog), None, sum(told.backlog), None, None, None))
    rows += [("标题", f"{found.title} {found.first}—{found.last}"), ("摘要", found.headline), ("口径", METHOD)]
    return rows


@cache
def fonts_folder() -> str:
    """Return where the page assets, and the Chinese type among them, lie."""
    return str(Path(hotline.__file__).parent / "web" / "static" / "vendor")


def document(found: Bulletin) -> bytes:
    """Return the bulletin as a PDF.  Raises ``FileNotFoundError`` when the Chinese type has not been installed."""
    if not Path(fonts_folder(), "NotoSansSC_400Regular.ttf").is_file():
        raise FileNotFoundError("the Chinese type for documents is missing: run `make install`")
    import typst

    data = json.dumps(_printed(found), ensure_ascii=False)
    made: bytes = typst.compile(str(TEMPLATE), font_paths=[fonts_folder()], format="pdf", sys_inputs={"data": data})
    return made


# More lines than this nobody reads on paper; the workbook has all of them, and the document says so.
PRINTED_OVERDUE = 40


def _printed(found: Bulletin) -> dict[str, Any]:
    told, total = found.report, found.report.total
    keys = ("completion", "resolution", "satisfaction")
    tiles = [["受理量", str(total.received), _change(total.received, told.previous.received)]]
    for figure in FIGURES:
        if figure.key in keys:
            now, before = total.rates[figure.key], told.previous.rates[figure.key]
            of = f"{now.numerator}/{now.denominator}"
            tiles.append([figure.name, percentage(now.value), f"{of} · {_points(now, before)}"])
    return {
        "title": found.title,
        "span": f"{found.first}" if found.first == found.last else f"{found.first} — {found.last}",
        "made": _moment(told.period.as_of),
        "headline": found.headline,
        "tiles": tiles,
        "tasks": [[line.name, line.received] for line in told.by_task],
        "ages": [
            [f"{first}–{last} 天" if last else f"{first} 天以上", number]
            for (first, last), number in zip(AGE_BANDS, told.backlog, strict=True)
        ],
        "departments": [
            [name, str(received), *(f"{percentage(Rate(*rate).value)} {rate[0]}/{rate[1]}" for rate in rates)]
            for name, received, rates, _ in rows_of_departments(found)
        ],
        "matters": [
            [f"{hot.matter} {hot.name}", hot.received, _change(hot.received, hot.before), list(hot.examples)]
            for hot in found.matters
        ],
        "topics": [
            [
                t.name,
                f"{t.size} / {t.of}",
                _change(t.size, t.before),
                " → ".join(map(str, t.weeks[-4:])),
                _places(t.places),
            ]
            for t in found.topics
        ],
        "bursts": [
            [
                *(f"{b.district_name} · {b.matter_name}", _moment(b.at), str(b.calls), f"{b.expected:.1f}"),
                "、".join(b.places) or "—",
            ]
            for b in found.bursts
        ],
        "themes": list(found.theme),
        "overdue": [[o.number, o.matter, o.department, _moment(o.due), o.why] for o in found.overdue[:PRINTED_OVERDUE]],
        "overdue_total": len(found.overdue),
        "method": METHOD,
    }


def _change(now: int, before: int) -> str:
    return "环比 —" if not before else f"环比 {(now - before) / before:+.1%}"


def _points(now: Rate, before: Rate) -> str:
    if now.value is None or before.value is None:
        return "环比 —"
    return f"环比 {100 * (now.value - before.value):+.1f} 个百分点"
