"""The classifier beside a public one: the pipeline of Signalen (Amsterdam's complaints system), in the same run.

Theirs is CountVectorizer of one and two words, TfidfTransformer without idf, and logistic regression with an L1 penalty
(liblinear), one against the rest.  It learns from the same labelled texts, joined by jieba with blanks, and both answer
the same held-out ones.  Where the letters are not at hand, both are told on calls alone.
"""

import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import jieba
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from bench.load import percentile
from bench.report import Line
from bench.rig import ROOT
from hotline.ml.classifier import TriageModel
from hotline.ml.corpus import GLOSSARY, Row, read_training
from hotline.ml.evaluate import worlds
from hotline.ml.registry import active_version, default_corpus_folder, default_models_folder

Say = Callable[[str], None]
Texts = Sequence[tuple[str, str]]

BATCH, SHORT_BATCH = 10_000, 2_000
SINGLE, SHORT_SINGLE = 2_000, 200
PROCESSES = 2

# Told by a process that does nothing else: the seconds from its first import to the loaded model, and its peak memory.
_LOAD = """
import resource, sys, time
from pathlib import Path
began = time.perf_counter()
from hotline.ml.classifier import TriageModel
model = TriageModel.load(Path(sys.argv[1]))
seconds = time.perf_counter() - began
model.predict_many([("", "路灯坏了三天了，晚上过马路很危险")] * 2000)
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@dataclass(frozen=True)
class Data:
    """The labelled texts to learn from and, by world, the held-out ones."""

    learn: list[Row]
    judge: dict[str, list[Row]]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The held-out texts of all worlds, mixed as they come."""
        return [row.text for rows in zip(*self.judge.values(), strict=False) for row in rows]


def shared_folder() -> Path | None:
    """Where texts that never enter the repository lie: ``HOTLINE_SHARED`` or ``../shared``."""
    named = os.environ.get("HOTLINE_SHARED")
    folder = (Path(named) if named else ROOT.parent / "shared") / "data"
    return folder if (folder / "complaints_train.jsonl").is_file() else None


def read_data() -> Data:
    """Read the texts that are at hand."""
    shared, corpus = shared_folder(), default_corpus_folder()
    rows, _ = read_training([*([shared / "complaints_train.jsonl"] if shared else []), corpus])
    return Data([row for row in rows if row.source != GLOSSARY], worlds(shared or corpus))


def joined(text: tuple[str, str]) -> str:
    """The text as Signalen's pipeline reads it: words with blanks between them."""
    return " ".join(jieba.cut(" ".join(text)))


def signalen(rows: Sequence[Row]) -> Pipeline:
    """Train their pipeline."""
    pipeline = make_pipeline(
        CountVectorizer(ngram_range=(1, 2)),
        TfidfTransformer(use_idf=False),
        OneVsRestClassifier(LogisticRegression(l1_ratio=1.0, solver="liblinear"), n_jobs=PROCESSES),
    )
    return pipeline.fit([joined(row.text) for row in rows], [row.matter for row in rows])


def triage(say: Say, *, short: bool) -> Iterator[Line]:
    """Measure load, memory, speed and quality."""
    folder = default_models_folder()
    version = folder / active_version(folder)
    yield from _at_rest(version, 1 if short else 5)
    data, model = read_data(), TriageModel.load(version)
    rows = data.learn[:: len(data.learn) // 1500] if short else data.learn
    say(f"training the reference on {len(rows):,} texts …")
    theirs = signalen(rows)
    yield from _single(model, theirs, data.texts, SHORT_SINGLE if short else SINGLE)
    yield from _batch(model, theirs, data.texts, SHORT_BATCH if short else BATCH)
    for where, held in data.judge.items():
        ours = _share_right([answer.matter for answer in model.predict_many([row.text for row in held])], held)
        reference = _share_right(theirs.predict([joined(row.text) for row in held]), held)
        better = None if short else ours > reference
        yield Line(f"matter right, {where}", 100 * ours, "%", 100 * reference, "above the reference", better)


def _at_rest(version: Path, rounds: int) -> Iterator[Line]:
    size = sum(file.stat().st_size for file in version.iterdir()) / 2**20
    yield Line("triage model on disk", size, "MB", target="≤ 25 MB", met=size <= 25)
    told = [_load(version) for _ in range(rounds)]
    seconds = statistics.median(seconds for seconds, _ in told)
    yield Line("… imported and loaded", seconds, "s", target="≤ 1.5 s", met=seconds <= 1.5)
    memory = max(memory for _, memory in told) / 2**20
    yield Line("… resident after 2,000 texts", memory, "MB", target="≤ 400 MB", met=memory <= 400)


def _load(version: Path) -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", _LOAD, str(version)], check=True, capture_output=True, text=True)
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def _single(model: TriageModel, theirs: Pipeline, texts: Texts, number: int) -> Iterator[Line]:
    """One text at a time, segmentation included; the two by turns, so that noise hits both."""
    ours_ms, theirs_ms = [], []
    for count, text in enumerate(islice(cycle(texts), number)):
        ours_ms.append(_milliseconds(partial(model.predict, *text)))
        # A tenth says enough about the slower one.
        if count % 10 == 0:
            theirs_ms.append(_milliseconds(partial(_answer_like_them, theirs, [text])))
    for share, target in ((0.5, 1.0), (0.99, 5.0)):
        ours, reference = percentile(ours_ms, share), percentile(theirs_ms, share)
        yield Line(f"triage of one text, p{100 * share:.0f}", ours, "ms", reference, f"≤ {target:g} ms", ours <= target)


def _answer_like_them(theirs: Pipeline, texts: Texts) -> Any:
    return theirs.predict_proba([joined(text) for text in texts])


def _milliseconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def _batch(model: TriageModel, theirs: Pipeline, texts: Texts, number: int) -> Iterator[Line]:
    many = list(islice(cycle(texts), number))
    seconds, busy = _seconds_on_all_cores(model.predict_many, many)
    their_seconds, their_busy = _seconds_on_all_cores(partial(_answer_like_them, theirs), many)
    name = f"triage of {number:,} texts, {PROCESSES} processes"
    yield Line(name, number / seconds, "texts/s", number / their_seconds, "≥ 5,000 texts/s", number / seconds >= 5000)
    yield Line("… processor time of one text", 1e6 * busy / number, "µs", 1e6 * their_busy / number)


def _seconds_on_all_cores(answer: Callable[[Texts], Any], texts: Texts) -> tuple[float, float]:
    """Let as many processes as there are cores answer a share each; they start with all that is loaded here.

    Returns the seconds by the clock, their start included, and the processor time that they took together.
    """
    fork = multiprocessing.get_context("fork")
    parts = [texts[start::PROCESSES] for start in range(PROCESSES)]
    workers = [fork.Process(target=answer, args=(part,)) for part in parts]
    before, began = os.times(), time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, spent


def _share_right(found: Sequence[str], rows: Sequence[Row]) -> float:
    return sum(matter == row.matter for matter, row in zip(found, rows, strict=True)) / len(rows)
