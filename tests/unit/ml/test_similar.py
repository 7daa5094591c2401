"""Similar messages: places, masking, the judgement, and the figures that the version that ships has to hold."""

import numpy as np
import pytest

from hotline.ml.errors import ModelError
from hotline.ml.places import alike, find_places, meet
from hotline.ml.similar import SimilarModel
from hotline.ml.similar_evaluate import figures
from hotline.ml.similar_fit import HeldOut, fit_judge, held_out, same_event
from hotline.ml.similar_judge import raw_odds
from hotline.ml.similar_space import DIMENSIONS
from hotline.ml.similar_store import active_similar, read_similar
from hotline.ml.similar_text import Message

DAY = 86400.0
LIFT = Message("", "金茂小区3栋的电梯坏了三天，老人上下楼很不方便", 0.0)
LIFT_AGAIN = Message("", "我住金茂小区三栋，电梯又停了，老人没法上下楼", DAY)
RUBBISH = Message("", "金茂小区3栋楼下的垃圾没人清运，臭气熏天", DAY)
OTHER_LIFT = Message("", "翠湖花园7栋的电梯坏了三天，老人上下楼很不方便", DAY)


@pytest.fixture(scope="module")
def similar() -> SimilarModel:
    return SimilarModel.load()


def score(model: SimilarModel, one: Message, other: Message) -> float:
    return float(model.compare(model.read(one), [model.read(other)])[0])


def test_the_same_trouble_at_the_same_place_scores_above_another_trouble_and_another_place(
    similar: SimilarModel,
) -> None:
    same = score(similar, LIFT, LIFT_AGAIN)
    assert same > score(similar, LIFT, RUBBISH)
    assert same > score(similar, LIFT, OTHER_LIFT)


def test_a_copied_message_is_the_same_event(similar: SimilarModel) -> None:
    assert score(similar, LIFT, Message("", LIFT.content, DAY)) >= similar.threshold


def test_each_message_finds_its_partner_among_others(similar: SimilarModel) -> None:
    found = similar.find([LIFT, RUBBISH, OTHER_LIFT, LIFT_AGAIN])
    assert found[0][0].row == 3
    assert found[3][0].row == 0
    assert [neighbour.score for neighbour in found[0]] == sorted((n.score for n in found[0]), reverse=True)


def test_the_order_of_two_messages_makes_no_difference(similar: SimilarModel) -> None:
    assert score(similar, LIFT, RUBBISH) == pytest.approx(score(similar, RUBBISH, LIFT), abs=1e-5)


def test_one_message_alone_has_no_neighbours(similar: SimilarModel) -> None:
    assert similar.find([LIFT]) == [[]]
    assert similar.find([]) == []


def test_vectors_have_length_one_and_nothing_of_a_phone_or_an_introduced_name(similar: SimilarModel) -> None:
    plain = Message("", "我叫王小明，电话13912345678，金茂小区的路灯坏了")
    other = Message("", "我叫李大海，电话13887654321，金茂小区的路灯坏了")
    vectors = similar.vectors([similar.read(plain), similar.read(other)])
    assert vectors.shape == (2, DIMENSIONS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)
    assert "139" not in "".join(similar.read(plain).pieces)


def test_places_are_named_by_their_rare_words_and_numbers_are_kept(similar: SimilarModel) -> None:
    reading = similar.read(Message("", "a7县的金茂小区12栋二期旁的湘春路"))
    assert "金茂" in reading.places.names["estate"]
    assert reading.places.anonymous == {"a7县"}
    assert reading.places.units == {"12栋", "2期"}


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("A7县金茂小区", "estate", "金茂"),
        ("A市A7县泉星小区", "estate", "泉星"),
        ("投诉A7县星沙大道飙车", "road", "星沙"),
    ],
)
def test_an_anonymised_district_is_no_part_of_the_name_behind_it(
    similar: SimilarModel, text: str, kind: str, name: str
) -> None:
    for message in (Message("", text), Message(text, "")):
        assert similar.read(message).places.names[kind] == {name}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3号楼、三幢、03座", {"栋": {"3"}}),
        ("地铁5号线二期", {"号线": {"5"}, "期": {"2"}}),
        ("十二栋和二十一栋和十栋", {"栋": {"12", "21", "10"}}),
        ("东六线以西，1814班", {"线": {"6"}, "班": {"1814"}}),
        ("人民路的路灯", {}),
    ],
)
def test_numbers_are_told_apart_by_what_they_count(text: str, numbers: dict[str, set[str]]) -> None:
    assert find_places(text, [], lambda word: True).numbers == numbers


def test_another_number_of_the_same_kind_speaks_against_the_same_event(similar: SimilarModel) -> None:
    line5 = Message("地铁5号线施工扰民", "地铁5号线整夜施工，吵得睡不着", 0.0)
    again = Message("5号线施工噪音", "地铁五号线施工到凌晨，没法睡觉", DAY)
    line6 = Message("地铁6号线施工扰民", "地铁6号线整夜施工，吵得睡不着", 0.0)
    names = list(similar.manifest["inputs"])
    collection = similar.collect([similar.read(message) for message in (line5, again, line6)])
    inputs = collection.inputs(np.array([(0, 1), (0, 2)]))
    assert inputs[:, names.index("title_numbers_same")].tolist() == [1, 0]
    assert inputs[:, names.index("title_numbers_other")].tolist() == [0, 1]
    # The same words about another line are likelier than not another matter for somebody to look at.
    assert score(similar, line5, line6) < score(similar, line5, Message(line5.title, line5.content, DAY))


def test_another_trouble_is_another_matter(similar: SimilarModel) -> None:
    collection = similar.collect([similar.read(message) for message in (LIFT, OTHER_LIFT, RUBBISH)])
    same, other = (collection.subjects[0] @ collection.subjects[row] for row in (1, 2))
    assert np.linalg.norm(collection.subjects, axis=1) == pytest.approx(1, abs=1e-5)
    assert same > 0.8 > 0.4 > other


def test_common_words_are_no_places() -> None:
    assert find_places("这个小区", ["这个", "小区"], lambda word: True).all_names == frozenset()


@pytest.mark.parametrize(
    ("one", "other"), [("绿地海外滩", "地绿海外滩"), ("碧桂园威尼斯城", "碧桂园"), ("华广", "广华")]
)
def test_names_that_people_write_differently_meet(one: str, other: str) -> None:
    assert meet({one}, {other})
    assert alike(one, other) == alike(other, one)


def test_different_names_do_not_meet() -> None:
    assert not meet({"北辰三角洲"}, {"山水嘉园"})
    assert not meet(set(), {"山水嘉园"})


def tiny_events() -> tuple[np.ndarray, np.ndarray, list[int | None]]:
    """Inputs that tell events apart with some noise."""
    chance = np.random.default_rng(3)
    events: list[int | None] = [row // 2 if row < 60 else None for row in range(120)]
    pairs = np.array([(a, b) for a in range(120) for b in range(a + 1, min(120, a + 8))])
    noise = chance.normal(size=(len(pairs), 6))
    return (noise + 2.5 * same_event(events, pairs)[:, None] * [1, 0.5, 0, 0, 0, 0]).astype(np.float32), pairs, events


def test_the_arrays_answer_as_scikit_learn_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from hotline.ml import similar_fit

    inputs, pairs, events = tiny_events()
    made = []
    boosted = similar_fit._boosted
    monkeypatch.setattr(similar_fit, "_boosted", lambda seed: made.append(boosted(seed)) or made[-1])
    judge = fit_judge(inputs, same_event(events, pairs), seed=1)
    theirs = np.mean([bag.decision_function(inputs) for bag in made], axis=0)
    linear = inputs @ judge.coefficients + judge.intercept[0]
    assert raw_odds(judge, inputs) == pytest.approx(np.clip(linear, -13.8, 13.8) + similar_fit.TREES * theirs, abs=1e-3)


def test_answers_out_of_fold_are_worse_than_those_of_a_judge_that_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a fold leaked, labels without any reason would be told right."""
    monkeypatch.setattr("hotline.ml.similar_fit.BAGS", 1)
    monkeypatch.setattr("hotline.ml.similar_fit.FOLDS", 3)
    inputs, pairs, _ = tiny_events()
    chance = np.random.default_rng(5)
    events: list[int | None] = [int(chance.integers(30)) for _ in range(120)]
    answers, judge = held_out(inputs[:, 2:], pairs, events, 1, lambda steps, _: steps)
    known = raw_odds(judge, inputs[:, 2:])
    order, blind = np.argsort(-known), np.argsort(-answers.p)
    count = int(answers.same.sum())
    assert answers.same[order[:count]].mean() > 0.45
    assert answers.same[blind[:count]].mean() < 0.3


def test_the_figures_count_what_they_say() -> None:
    pairs = np.array([(0, 1), (0, 2), (2, 3)])
    answers = HeldOut(pairs, np.array([True, False, True]), np.array([0.9, 0.2, 0.1]))
    table = {figure.name: figure.value for figure in figures(answers, [1, 1, 2, 2], [(0, 2)], threshold=0.5)}
    assert table["recall@5 of the same event"] == 1
    assert table["at the model's threshold: found"] == 0.5
    assert table["at the model's threshold: precision"] == 1
    assert table["at the model's threshold: look-alikes wrongly joined"] == 0


def test_the_version_that_ships_holds_the_floors_it_was_measured_at_out_of_fold(similar: SimilarModel) -> None:
    metrics = similar.manifest["metrics"]
    assert metrics["recall@5 of the same event"] >= 0.97
    assert metrics["found at 95 % precision of all pairs"] >= 0.75
    assert metrics["found at 95 % precision of each message's nearest"] >= 0.75
    assert metrics["look-alikes wrongly joined at 95 % precision"] <= 0.10


def test_a_changed_file_is_refused(tmp_path) -> None:
    shipped = active_similar()
    for file in shipped.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "weights.npz"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match="sha256"):
        read_similar(tmp_path)


def test_the_vocabulary_names_nobody(similar: SimilarModel) -> None:
    from hotline.ml.privacy import looks_personal

    assert [word for word in similar.space.known.words if looks_personal(word)] == []
    assert min(similar.space.known.words.values()) >= 3
