"""Workbooks for tests: read one as a person sees it, change it, save it again."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl

Edit = Callable[[Any], None]


def edited(content: bytes, edit: Edit) -> bytes:
    """Return a workbook after ``edit`` has changed its first sheet, as a spreadsheet program would save it."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    edit(book.worksheets[0])
    return saved(book)


def saved(book: Any) -> bytes:
    """Return a workbook as a file."""
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def sheet_of(rows: Sequence[Sequence[object]], title: str = "Sheet1") -> bytes:
    """Return a workbook with one sheet of these rows."""
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    return saved(book)


def row_of(sheet: Any, text: str) -> int:
    """Return the number of the first row that begins with ``text``, or else of the first that holds it in a cell."""
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == text]
    return next((cell.row for cell in cells if cell.column == 1), cells[0].row)


def column_of(sheet: Any, title: str) -> int:
    """Return the number of the column with this head."""
    return next(cell.column for cell in sheet[1] if cell.value == title)


def put(sheet: Any, row: int, title: str, value: object) -> None:
    """Type ``value`` into a row under the head ``title``."""
    sheet.cell(row, column_of(sheet, title)).value = value
