"""Excel workbooks (.xlsx): one sheet per list, written as texts and read with suspicion.

A file comes from whoever may upload one.  It is measured before a library parses it, nothing in it is evaluated, and
what cannot be read is told by row and column.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hotline.services.errors import InvalidInput
from hotline.services.lists.columns import CellRefused, Column, Kind, Row

LARGEST_FILE = 3 * 1024 * 1024
LARGEST_UNPACKED = 24 * 1024 * 1024
MOST_PARTS = 200
MOST_CELLS = 250_000
MOST_ROWS = 20_000
MOST_CHARACTERS = 4_000_000
MOST_ERRORS = 100

INSTRUCTIONS = "填写说明"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s")
_DECLARED = re.compile(rb"<\?xml[^>]*encoding=[\"']([^\"']+)")
_OLD_FORMAT = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as it was read, with its number on the sheet."""

    number: int
    cells: Row


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong in a row, and in which column (None: in the row as a whole)."""

    row: int
    column: Column | None
    message: str


class RowsRefused(Exception):
    """Some rows cannot be used; ``errors`` are the first hundred of what is wrong with them."""

    def __init__(self, errors: Sequence[CellError]) -> None:
        self.errors = tuple(errors[:MOST_ERRORS])
        super().__init__(f"{len(errors)} cells cannot be used")


def write(title: str, columns: Sequence[Column], rows: Iterable[Row]) -> bytes:
    """Return a workbook with a sheet ``title`` of ``rows`` and a sheet that says how to fill it in.

    Every cell is a text: what somebody wrote never becomes a formula, and a code keeps its zeros.
    """
    # Few processes make files, and the library weighs as much as a worker's model.
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True, "in_memory": True}) as book:
        bold = book.add_format({"bold": True, "bg_color": "#E8F0FA"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, _width(column), text)
            if column.choices:
                words = {"validate": "list", "source": list(column.choices.values())}
                sheet.data_validation(1, at, MOST_ROWS, at, words)
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column.title, bold)
        for number, row in enumerate(rows, start=1):
            for at, column in enumerate(columns):
                shown = column.shown(row[column.name])
                if shown:
                    sheet.write_string(number, at, shown, text)
        _instruct(book.add_worksheet(INSTRUCTIONS), columns, bold)
    return buffer.getvalue()


def _width(column: Column) -> int:
    return 14 if column.kind is not Kind.TEXT else 60 if column.longest > 300 else 24


def _instruct(sheet: Any, columns: Sequence[Column], bold: Any) -> None:
    sheet.set_column(0, 1, 16)
    sheet.set_column(2, 2, 80)
    for at, head in enumerate(("列", "必填", "说明")):
        sheet.write_string(0, at, head, bold)
    for number, column in enumerate(columns, start=1):
        choices = f"可填：{'、'.join(column.choices.values())}。" if column.choices else ""
        sheet.write_string(number, 0, column.title)
        sheet.write_string(number, 1, "是" if column.required else "否")
        sheet.write_string(number, 2, choices + column.hint)


def read(content: bytes, title: str, columns: Sequence[Column]) -> list[ReadRow]:
    """Return the rows of the sheet ``title``, or of the only sheet; rows without any value are left out.

    Raises ``InvalidInput`` for a file that is none, too large or otherwise no list, and ``RowsRefused``.
    """
    _measure(content)
    # As above.
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except Exception as error:
        # The library raises whatever it stumbles over in a file that is not what it seems.
        raise InvalidInput("file", "cannot be read as an Excel workbook; save it again as .xlsx") from error
    try:
        sheet = _sheet(book, title)
        _refuse_merged(content, sheet)
        return list(_rows(sheet, columns))
    except (InvalidInput, RowsRefused):
        raise
    except Exception as error:
        # The same, at the place where the damage lies.
        raise InvalidInput("file", "cannot be read as an Excel workbook; save it again as .xlsx") from error
    finally:
        book.close()


def _measure(content: bytes) -> None:
    """Raise ``InvalidInput`` unless the file is a workbook of bearable size with nothing in it that grows by itself."""
    if len(content) > LARGEST_FILE:
        raise InvalidInput("file", f"is larger than {LARGEST_FILE // 1024 // 1024} MB")
    if content.startswith(_OLD_FORMAT):
        raise InvalidInput("file", "is an .xls file or has a password; save it as .xlsx without one")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise InvalidInput("file", "holds far more than a list; copy the list into a new workbook")
            # What a part really unpacks to is held against its stated size as it is read.
            cells = sum(_cells_in(packed.read(part)) for part in parts if part.filename.endswith((".xml", ".rels")))
    except InvalidInput:
        raise
    except Exception as error:
        # A broken archive raises a dozen kinds of errors.
        raise InvalidInput("file", "is no Excel workbook; save it as .xlsx") from error
    if cells > MOST_CELLS:
        raise InvalidInput("file", f"holds more than {MOST_CELLS} cells; delete empty rows and columns")


def _cells_in(part: bytes) -> int:
    declared = _DECLARED.match(part.removeprefix(b"\xef\xbb\xbf").lstrip())
    strange = declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii")
    # In another encoding what is looked for here would look otherwise; entities are what makes small files large.
    if strange or b"\x00" in part or b"<!DOCTYPE" in part or b"<!ENTITY" in part:
        raise InvalidInput("file", "holds what no spreadsheet program writes; copy the list into a new workbook")
    return len(_CELL.findall(part))


def _sheet(book: Any, title: str) -> Any:
    for sheet in book.worksheets:
        if sheet.title.strip() == title:
            return sheet
    if len(book.worksheets) == 1:
        return book.worksheets[0]
    raise InvalidInput("file", f"has no sheet named {title}")


def _refuse_merged(content: bytes, sheet: Any) -> None:
    """Raise ``InvalidInput`` for merged cells: all but one of them are empty, which may mean something else."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        # The library knows where the sheet lies and, reading row by row, does not tell what is merged.
        if _MERGED.search(packed.read(sheet._worksheet_path)):
            raise InvalidInput("file", "has merged cells; unmerge them and fill in every row")


def _rows(sheet: Any, columns: Sequence[Column]) -> Iterator[ReadRow]:
    # Beyond the known columns only the head is looked at: a column more is a mistake, not something to leave out.
    heads = next(sheet.iter_rows(min_row=1, max_row=1, max_col=4 * len(columns) + 20), ())
    places = _places([head.value for head in heads], columns)
    errors: list[CellError] = []
    characters, found = 0, 0
    for number, cells in enumerate(sheet.iter_rows(min_row=2, max_row=MOST_ROWS + 2, max_col=max(places) + 1), start=2):
        if all(cell.value is None or str(cell.value).strip() == "" for cell in cells):
            continue
        if number > MOST_ROWS + 1:
            raise InvalidInput("file", f"has more than {MOST_ROWS} rows")
        read = {column.name: _value(cells, place, column, number, errors) for place, column in places.items()}
        characters += sum(len(value) for value in read.values() if value)
        if characters > MOST_CHARACTERS or len(errors) >= MOST_ERRORS:
            break
        found += 1
        yield ReadRow(number, read)
    if errors:
        raise RowsRefused(errors)
    if characters > MOST_CHARACTERS:
        raise InvalidInput("file", "holds far more than a list; copy the list into a new workbook")
    if not found:
        raise InvalidInput("file", "has no rows under its head")


def _places(heads: Sequence[object], columns: Sequence[Column]) -> dict[int, Column]:
    known = {name: column for column in columns for name in (column.title, column.name)}
    places: dict[int, Column] = {}
    for place, head in enumerate(heads):
        said = str(head).strip() if head is not None else ""
        if not said:
            continue
        column = known.get(said)
        if column is None:
            raise InvalidInput("file", f"has an unknown column {said[:40]}")
        if column in places.values():
            raise InvalidInput("file", f"has the column {column.title} twice")
        places[place] = column
    missing = [column.title for column in columns if column not in places.values()]
    if missing:
        raise InvalidInput("file", f"lacks the columns {'、'.join(missing)}")
    return places


def _value(cells: Sequence[Any], place: int, column: Column, number: int, errors: list[CellError]) -> str | None:
    cell = cells[place] if place < len(cells) else None
    try:
        if cell is not None and cell.data_type == "e":
            raise CellRefused("holds an error of the spreadsheet; type the value")
        return column.read(None if cell is None else cell.value)
    except CellRefused as refused:
        errors.append(CellError(number, column, str(refused)))
        return None
