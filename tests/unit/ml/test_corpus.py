"""Training reads what it may, once, and says where a file is wrong."""

import json
from pathlib import Path

import pytest

from hotline.domain.successors import successors_from_mapping
from hotline.ml.corpus import GLOSSARY, CorpusError, Row, read_glossary, read_rows, read_training
from hotline.ml.registry import default_models_folder
from hotline.reference import load_taxonomy


def write(path: Path, *records: object) -> Path:
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return path


ROW = {"content": "路灯坏了", "matter": "E03", "type": "投诉", "urgent": 0, "src": "phone_plain"}


def test_a_row_keeps_its_labels(tmp_path: Path) -> None:
    (row,) = read_rows(write(tmp_path / "a.jsonl", ROW | {"alt": "C07", "title": None}))
    assert (row.text, row.matter, row.alt, row.type, row.urgent) == (("", "路灯坏了"), "E03", "C07", "投诉", False)


def test_held_out_rows_and_files_are_never_trained_on(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", ROW, ROW | {"content": "停水了", "split": "test"})
    write(tmp_path / "letters_dev.jsonl", ROW | {"content": "停电了"})
    rows, files = read_training([tmp_path])
    assert [row.content for row in rows] == ["路灯坏了"]
    assert [(file.name, file.rows) for file in files] == [("a.jsonl", 1)]
    with pytest.raises(CorpusError, match=r"letters_dev\.jsonl is held out"):
        read_training([tmp_path / "letters_dev.jsonl"])


def test_a_text_counts_once_and_other_files_are_passed_by(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", ROW, ROW)
    write(tmp_path / "b.jsonl", ROW)
    write(tmp_path / "other.jsonl", {"label": "交通运输", "content": "公交"})
    assert len(read_training([tmp_path, tmp_path / "a.jsonl"])[0]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"a\.jsonl:1: not JSON"),
        ("[]", r"a\.jsonl:1: not a JSON object"),
        ('{"matter": "E03"}', r"a\.jsonl:1: content and matter must be texts"),
        ("", "no labelled texts"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        read_training([path])


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does not exist"):
        read_training([tmp_path / "none"])


def test_a_glossary_teaches_every_phrase_three_times_in_a_fixed_order(tmp_path: Path) -> None:
    path = tmp_path / "glossary.txt"
    path.write_text("# words\nE03 路灯不亮、路面坑洼、井盖\n", encoding="utf-8")
    rows = read_glossary(path)
    assert rows == read_glossary(path)
    assert {(row.matter, row.source, row.type) for row in rows} == {("E03", GLOSSARY, None)}
    assert all("".join(row.content for row in rows).count(phrase) == 3 for phrase in ("路灯不亮", "路面坑洼", "井盖"))
    path.write_text("E03\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"glossary\.txt:1"):
        read_glossary(path)


def test_what_ships_covers_every_matter() -> None:
    rows, files = read_training([default_models_folder().parent / "corpus"])
    assert {file.name for file in files} == {
        "phone_style.jsonl",
        "phone_written.jsonl",
        "glossary.txt",
        "glossary_scenes.txt",
    }
    for source in (GLOSSARY, "phone_plain"):
        assert {row.matter for row in rows if row.source == source} == set(load_taxonomy().codes)
    assert not any(row.held_out for row in rows)


def test_rows_of_a_matter_that_was_split_teach_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    old = [("路灯不亮", "Z02", None), ("电线垂下来", "Z02", "Z01"), ("说不清", "Z04", None), ("物业不管", "C01", "Z02")]
    path.write_text(
        "\n".join(json.dumps({"content": c, "matter": m, "alt": a}, ensure_ascii=False) for c, m, a in old),
        encoding="utf-8",
    )
    today = successors_from_mapping(
        {"Z01": [{"matter": "E04"}], "Z02": [{"matter": "E03", "words": ["路灯"]}, {"matter": "E04"}], "Z04": []},
        ("E03", "E04", "C01"),
    )
    found = [(row.content, row.matter, row.alt) for row in read_rows(path, today)]
    assert found == [("路灯不亮", "E03", None), ("电线垂下来", "E04", None), ("物业不管", "C01", "E04")]


def test_tickets_come_first_and_their_words_stand_nowhere_in_the_provenance(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"content": "路灯坏了", "matter": "E04"}\n', encoding="utf-8")
    rows, files = read_training([path], [Row("", "路灯坏了", "E03", source="ticket", weight=2.0)])
    assert [(row.content, row.matter, row.weight) for row in rows] == [("路灯坏了", "E03", 2.0)]
    assert [(file.name, file.rows) for file in files] == [("confirmed tickets", 1)]
    assert "路灯" not in repr(files)
