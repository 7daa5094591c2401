"""The figures that reports show, by name: which measure each is of, which side of it, and how it is explained."""

from dataclasses import dataclass

from hotline.domain.kpi import Measure


@dataclass(frozen=True, slots=True)
class Figure:
    """One rate.  ``met`` False shows the rest: accuracy is the share of first dispatches that were not returned."""

    key: str
    name: str
    measure: Measure
    explained: str
    met: bool = True


# Volume is counted like the others, and shown by its number.
RECEIVED = Figure("received", "受理量", Measure.RECEIVED, "按受理时间统计的全部诉求。")

FIGURES: tuple[Figure, ...] = (
    Figure("response", "响应率", Measure.CONTACT, "在先行联系时限内联系诉求人 ÷ 本期应联系；匿名诉求不计。"),
    Figure("signing", "按时签收率", Measure.SIGNING, "按时签收 ÷ 本期到签收期限；到期前已转出的不计。"),
    Figure(
        "completion",
        "按期办结率",
        Measure.COMPLETION,
        "按期办结 ÷ 本期到期；逾期未办计入分母，未到期、挂账中的不计，批准延期的按新期限；记在到期时的承办单位。",
    ),
    Figure("extended", "延期件按期办结率", Measure.EXTENDED, "其中批准过延期的，按新期限。"),
    Figure("resolution", "解决率", Measure.RESOLUTION, "回访“已解决” ÷ 有效回访；每位诉求人、每轮回访各计一次。"),
    Figure("satisfaction", "满意率", Measure.SATISFACTION, "（满意 + 基本满意）÷ 有效评价。"),
    Figure("return", "退单率", Measure.DISPATCHED, "申请退单 ÷ 本期派单（含改派、转派下级）；撤回的申请不计。"),
    Figure("accuracy", "首派准确率", Measure.FIRST_DISPATCH, "1 − 首派被同意退单 ÷ 本期首次派单。", met=False),
    Figure("rework", "重办率", Measure.REWORK, "重办 ÷ 已回访，按工单逐轮计。"),
    Figure("one_pass", "一次办结率", Measure.ONE_PASS, "办结后 30 天内无退单、重办、重复诉求 ÷ 办结；满 30 天才计入。"),
    Figure("followup", "回访率", Measure.FOLLOWUP_DUE, "已回访 ÷ 本期应回访；匿名诉求不计。"),
    Figure("valid_followup", "有效回访率", Measure.FOLLOWED_UP, "接通并明确是否解决 ÷ 已回访。"),
    Figure("direct_answer", "直接答复率", Measure.RECEIVED, "坐席直接答复 ÷ 受理。"),
)

BY_KEY: dict[str, Figure] = {figure.key: figure for figure in (RECEIVED, *FIGURES)}
