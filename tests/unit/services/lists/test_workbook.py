"""Excel files: written as texts, read with suspicion, told by row and column."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula
from tests.sheets import edited, saved, sheet_of

from hotline.services.errors import InvalidInput
from hotline.services.lists import workbook
from hotline.services.lists.columns import Column, Kind
from hotline.services.lists.workbook import RowsRefused, read, write

COLUMNS = (
    Column(name="code", title="编码", kind=Kind.CODE, required=True, longest=10),
    Column(name="name", title="名称", required=True, longest=40),
    Column(name="state", title="状态", kind=Kind.CHOICE, choices={"yes": "在用", "no": "停用"}),
    Column(name="day", title="日期", kind=Kind.DATE),
    Column(name="helpers", title="协办", kind=Kind.CODES),
)
# Spreadsheets know no zones.
NOON = datetime(2027, 2, 28, 12)  # noqa: DTZ001
HEAD = tuple(column.title for column in COLUMNS)


def row(**cells: str | None) -> dict[str, str | None]:
    return dict.fromkeys([column.name for column in COLUMNS]) | cells


def refused(content: bytes) -> str:
    with pytest.raises(InvalidInput) as error:
        read(content, "清单", COLUMNS)
    assert error.value.field == "file"
    return error.value.message


def wrong(*rows: tuple[object, ...]) -> list[tuple[int, str, str]]:
    with pytest.raises(RowsRefused) as error:
        read(sheet_of([HEAD, *rows]), "清单", COLUMNS)
    return [(e.row, e.column.title if e.column else "", e.message) for e in error.value.errors]


NASTY = [
    row(code="007", name='=HYPERLINK("http://x")', state="yes", day="2027-02-28", helpers="A B"),
    row(code="1E5", name="+1", state="no"),
    row(code="3-1", name="-2+3"),
    row(code="@A", name="@SUM(A1)"),
    row(code="0.10", name="a\n b <&>\"'"),
    row(code="TRUE", name="12345678901234567890"),
    row(code="#N/A", name="'=1"),
]


def test_what_is_written_is_read_back_to_the_letter() -> None:
    content = write("清单", COLUMNS, NASTY)
    assert [each.cells for each in read(content, "清单", COLUMNS)] == NASTY
    # And so it is after a spreadsheet program has opened and saved it.
    assert [each.cells for each in read(edited(content, lambda sheet: None), "清单", COLUMNS)] == NASTY


def test_nothing_written_is_a_formula_or_a_number() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write("清单", COLUMNS, NASTY)))
    cells = [cell for sheet in book for cells in sheet.iter_rows() for cell in cells if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    # Codes that somebody types in later stay texts as well.
    assert book.worksheets[0].column_dimensions["A"].number_format == "@" or cells[5].number_format == "@"


def test_the_second_sheet_tells_how_to_fill_in_the_first() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write("清单", COLUMNS, [])))
    assert book.sheetnames == ["清单", "填写说明"]
    told = [[cell.value for cell in cells] for cells in book["填写说明"].iter_rows(min_row=2)]
    assert [line[0] for line in told] == list(HEAD)
    assert told[2][2] == "可填：在用、停用。"


def test_numbers_full_width_letters_dates_and_blank_rows_are_understood() -> None:
    rows = [
        HEAD,
        (12, 3.0, " 在用 ", NOON, "B，A ; A"),
        (None, "  ", None, None, None),
        ("ｅ０３", 2.5, "yes", "2027/2/8", None),
        ("X", date(2027, 1, 2), None, "2027年12月1日", "　"),
    ]
    assert [each.cells for each in read(sheet_of(rows), "清单", COLUMNS)] == [
        row(code="12", name="3", state="yes", day="2027-02-28", helpers="A B"),
        row(code="e03", name="2.5", state="yes", day="2027-02-08"),
        row(code="X", name="2027-01-02", day="2027-12-01"),
    ]
    assert [each.number for each in read(sheet_of(rows), "清单", COLUMNS)] == [2, 4, 5]


def test_the_columns_may_stand_in_another_order_and_by_their_english_name() -> None:
    rows = [("helpers", "名称", None, "code", "状态", "日期"), (None, "甲", None, "A", None, None)]
    assert read(sheet_of(rows), "清单", COLUMNS)[0].cells == row(code="A", name="甲")


def test_every_mistake_is_told_by_row_and_column() -> None:
    assert wrong(
        (None, "甲", None, None, None),
        (NOON, "乙", None, None, None),
        ("A" * 11, "x" * 41, "也许", "2027-02-30", None),
        ("B", "丙", None, 46000, None),
    ) == [
        (2, "编码", "is empty"),
        (3, "编码", "has become a date; format the column as text and type it again"),
        (4, "编码", "is longer than 10 characters"),
        (4, "名称", "is longer than 40 characters"),
        (4, "状态", "is none of 在用、停用"),
        (4, "日期", "is not a date like 2027-06-30"),
        (5, "日期", "is not a date like 2027-06-30"),
    ]


def test_no_more_than_a_hundred_mistakes_are_told() -> None:
    assert len(wrong(*[(None, None, "?", None, None)] * 300)) == 100


def test_a_formula_is_read_as_its_text_and_never_computed() -> None:
    def compute(sheet: Any) -> None:
        sheet["B2"] = "=1+1"

    content = edited(write("清单", COLUMNS, [row(code="A", name="甲")]), compute)
    assert read(content, "清单", COLUMNS)[0].cells["name"] == "=1+1"


def test_errors_and_formulas_over_many_cells_are_refused() -> None:
    book = openpyxl.Workbook()
    book.active.append(HEAD)
    book.active.append(("A", "#N/A"))
    book.active.append(("B",))
    book.active["B3"] = ArrayFormula("B3:B4", "=A2:A3")
    with pytest.raises(RowsRefused) as error:
        read(saved(book), "清单", COLUMNS)
    assert [(e.row, e.message.split(";")[0]) for e in error.value.errors] == [
        (2, "holds an error of the spreadsheet"),
        (3, "is a formula over several cells, or something else that is no text"),
    ]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "lacks the columns 编码、名称、状态、日期、协办"),
        ([HEAD], "has no rows under its head"),
        ([HEAD[:-1], ("A", "甲")], "lacks the columns 协办"),
        ([(*HEAD, "手机号"), ("A", "甲")], "has an unknown column 手机号"),
        ([(*HEAD, "名称"), ("A", "甲")], "has the column 名称 twice"),
        ([("权责清单",), HEAD, ("A", "甲")], "has an unknown column 权责清单"),
    ],
)
def test_a_sheet_that_is_another_table_is_refused(rows: list[tuple[object, ...]], why: str) -> None:
    assert refused(sheet_of(rows)) == why


def test_the_sheet_is_found_by_its_name_or_as_the_only_one() -> None:
    book = openpyxl.Workbook()
    book.active.append(("别的",))
    book.create_sheet("另一张")
    assert refused(saved(book)) == "has no sheet named 清单"
    right = book.create_sheet(" 清单 ")
    right.append(HEAD)
    right.append(("A", "甲"))
    assert len(read(saved(book), "清单", COLUMNS)) == 1
    assert len(read(sheet_of([HEAD, ("A", "甲")], "随便"), "清单", COLUMNS)) == 1


def test_merged_cells_are_refused_wherever_they_stand() -> None:
    content = write("清单", COLUMNS, [row(code="A", name="甲"), row(code="B", name="乙")])
    assert refused(edited(content, lambda sheet: sheet.merge_cells("C2:C3"))).startswith("has merged cells")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"\x00" * 1000, "编码,名称".encode("gbk")],
)
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    assert refused(content) == "is no Excel workbook; save it as .xlsx"


def test_an_old_or_locked_file_says_so() -> None:
    assert refused(bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 512).startswith("is an .xls file or has a password")


def repacked(content: bytes, change: Any, **more: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, part in more.items():
            new.writestr(f"{name}.xml", part)
    return buffer.getvalue()


PLAIN = sheet_of([HEAD, ("A", "甲")], "清单")

A2 = b'<c r="A2" t="inlineStr"><is><t>A</t></is></c>'


def in_sheet(old: bytes, new: bytes) -> bytes:
    def change(name: str, part: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return part
        assert old in part
        return part.replace(old, new, 1)

    return repacked(PLAIN, change)


def test_a_bomb_is_refused_before_anything_unpacks_it() -> None:
    bomb = repacked(PLAIN, lambda name, part: part, bomb=b" " * (workbook.LARGEST_UNPACKED + 1))
    assert len(bomb) < 100_000
    assert refused(bomb).startswith("holds far more than a list")
    many = repacked(PLAIN, lambda name, part: part, **{f"p{n}": b"<a/>" for n in range(workbook.MOST_PARTS)})
    assert refused(many).startswith("holds far more than a list")


def test_a_part_that_lies_about_its_size_is_refused() -> None:
    bomb = bytearray(repacked(PLAIN, lambda name, part: part, bomb=b" " * (workbook.LARGEST_UNPACKED + 1)))
    stated = (workbook.LARGEST_UNPACKED + 1).to_bytes(4, "little")
    assert bytes(bomb).count(stated) == 2
    assert refused(bytes(bomb).replace(stated, (10).to_bytes(4, "little"))) == "is no Excel workbook; save it as .xlsx"


@pytest.mark.parametrize(
    "prolog",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        b"<?xml version='1.0' encoding='utf-16'?>",
        b"<?xml version='1.0' encoding='cp037'?>",
    ],
)
def test_entities_and_strange_encodings_are_refused(prolog: bytes) -> None:
    def change(name: str, part: bytes) -> bytes:
        return prolog + part[part.index(b"<worksheet") :] if name == "xl/worksheets/sheet1.xml" else part

    assert refused(repacked(PLAIN, change)).startswith("holds what no spreadsheet program writes")


def test_cells_far_away_and_empty_ones_without_end_cost_nothing() -> None:
    far = in_sheet(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    )
    assert len(read(far, "清单", COLUMNS)) == 1
    cells = b"".join(b'<c r="A%d"/>' % number for number in range(3, 3 + workbook.MOST_CELLS))
    assert refused(in_sheet(b"</sheetData>", b'<row r="3">' + cells + b"</row></sheetData>")).startswith(
        "holds more than"
    )


def test_more_rows_than_a_city_has_are_refused() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"><v>1</v></c></row>' for n in range(3, 20_004))
    assert refused(in_sheet(b"</sheetData>", rows.encode() + b"</sheetData>")) == "has more than 20000 rows"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<sheetData>", b"<sheetData><row r='x'/>"),
        (b"</worksheet>", b""),
        (A2, b'<c r="A2" t="s"><v>99999</v></c>'),
        (A2, b'<c r="A2"><v>twelve</v></c>'),
        (A2, b'<c r="2A"><v>12</v></c>'),
        (b"<sheetData>", b"<sheetData>" + b"<a>" * 20_000),
    ],
)
def test_a_damaged_sheet_is_refused_in_words(old: bytes, new: bytes) -> None:
    assert refused(in_sheet(old, new)).startswith("cannot be read as an Excel workbook")
