"""Why a step was refused, in the words of the page.

Services speak English, to programs; whoever sits before a page is told in the page's language.  A test holds this
table against what the services say.
"""

import re

from flask_babel import get_locale
from flask_babel import gettext as _

WORDS: dict[str, str] = {
    # Of the forms' own rules.
    "is empty": "此项必填",
    "contains control characters (such as NUL); remove them": "含有控制字符，请删除",
    "must be a text in ISO 8601, such as 2026-11-25T08:30:00+08:00": "时间格式不对",
    # Who may.
    "only the lead department may do this; your department is a co-handler": "只有主办单位可以操作；本单位是协办单位",
    "a reply is approved by somebody other than its author": "不能审核自己写的反馈，请由另一人审核",
    "an exclusion is approved by two people, neither of whom asked for it": "剔除须由申请人以外的两人先后同意",
    "this ticket is confidential; only the hotline knows the caller and relays messages": (
        "该工单保密：只有热线知道诉求人，请通过热线转达"
    ),
    # Where it may go.
    "there is no active department with this code": "没有这个承办单位，或已停用",
    "the catalogue names no owner for this matter here; give a department": (
        "权责清单里该事项在此地没有承办单位，请指定一个"
    ),
    "unknown matter; use a code from A01 to G09": "没有这个事项",
    "is not a sub-unit of the department that has the ticket": "不是本单位的下级单位",
    "only what your department handed on to a sub-unit can be taken back by it": "只能撤回本单位转派给下级的工单",
    "there is nobody of this name in the department that has the ticket": "承办单位里没有这个人",
    "the complaint is about this department, which must not handle it alone; name another one, or let a supervisor "
    "send it there with a co-handler from elsewhere": (
        "诉求投诉的就是这个单位，不能由它单独办理；请另指单位，或由督办指定监督协办后再派"
    ),
    "leads the ticket itself": "它就是主办单位",
    "lies in the past": "时间已过",
    "this department has been asked already and has not reported yet": "已请该单位协办，尚未反馈",
    "your department has no open part of this ticket": "本单位没有待办的协办任务",
    # Returns.
    "the return limit is over; the department has to handle the ticket": "退单时限已过，须由本单位办理",
    "say which department should handle it": "请写明应由哪个单位承办",
    "is the department that returns the ticket": "这就是申请退单的单位",
    "is the one that returns it; to keep it there, reject the return": "这就是申请退单的单位；如仍由它承办，请驳回退单",
    # Extensions, suspensions, exclusions.
    "an extension is asked for before the due; this ticket is due already": "延期须在到期前申请，本单已到期",
    "a suspension is asked for before the due; this ticket is due already": "挂账须在到期前申请，本单已到期",
    "must be a day to come": "须是今天以后的日期",
    # Replies and follow-ups.
    "say why it is not resolved": "请写明未解决的原因",
    "only a citizen who was reached can rate": "只有接通的诉求人才能评价",
    "say why it is not reworked": "请写明不再重办的原因",
    "no caller of this ticket has this number": "本单没有这位诉求人",
    "this caller has been followed up already": "这位诉求人已经回访过了",
    "this caller is not anonymous": "这位诉求人不是匿名",
    # Merging, splitting, answering, reclassifying.
    "there is no other ticket with this number": "没有这个编号的其他工单",
    "this caller has been called about the other ticket already; receive a new ticket instead": (
        "这位诉求人已随另一工单回访，不能撤销并单；请另行受理"
    ),
    "there is no such entry in the knowledge base": "知识库里没有这一条",
    "nothing is attached to a ticket that is over": "工单已结束，不能再添加附件",
    "is none of JPEG, PNG, WebP, PDF, MP3, WAV, M4A": "只能添加 JPEG、PNG、WebP 图片、PDF 和 MP3、WAV、M4A 录音",
    "the picture cannot be read": "图片无法读取",
    "the picture has too many pixels": "图片像素过大",
    "this installation has no folder for attachments; set HOTLINE_ATTACHMENTS_FOLDER": "系统未启用附件",
    # Departments.
    "there is a department with this code already": "已有这个编码的单位",
    "there is no department with this code": "没有这个编码的单位",
    "there is no district with this code": "没有这个区",
    "another department has this name": "另有单位叫这个名称",
    "is no kind of department": "请选择类别",
    "stands below this department itself": "它是本单位自己或本单位的下级",
    "is retired; name a parent that is in use": "上级单位已停用，请另选在用的上级",
    "has sub-units in use; retire them or give them another parent first": (
        "还有在用的下级单位，请先停用它们或改到别的上级之下"
    ),
    # Lists.
    "is not a date like 2027-06-30": "不是日期，请写成 2027-06-30 的样子",
    "has become a date; format the column as text and type it again": (
        "被 Excel 改成了日期，请把该列设为文本格式后重新输入"
    ),
    "what is there has changed since the dry run; look at it again": "预览之后数据有了变化，请再看一遍",
    "nothing would change": "没有变更",
    "is a formula over several cells, or something else that is no text; paste its value": (
        "是跨多格的公式或其他不是文字的内容，请粘贴为数值"
    ),
    "holds an error of the spreadsheet; type the value": "是 Excel 的错误值，请填写正确的值",
    "cannot be read as an Excel workbook; save it again as .xlsx": "无法按 Excel 工作簿读取，请重新另存为 .xlsx",
    "is no Excel workbook; save it as .xlsx": "不是 Excel 工作簿，请另存为 .xlsx",
    "is an .xls file or has a password; save it as .xlsx without one": (
        "是旧版 .xls 或设了密码，请去掉密码并另存为 .xlsx"
    ),
    "holds far more than a list; copy the list into a new workbook": (
        "内容远多于一份清单，请把清单复制到新工作簿再上传"
    ),
    "holds what no spreadsheet program writes; copy the list into a new workbook": (
        "含有表格软件不会写入的内容，请把清单复制到新工作簿再上传"
    ),
    "has merged cells; unmerge them and fill in every row": "有合并单元格，请取消合并并逐行填写",
    "has no rows under its head": "表头之下没有内容",
    "stays empty for what must not be pushed down": "“不得下派”的行此列须空着",
    "is answered by another entry already; change that one": "已有条目回答这个问题，请修改那一条",
    "is no whole number of at most ten years": "须是整数，且不超过十年",
    "stands beside a matter; only one of them can decide": "诉求类型和事项只能填一个",
    "stands without a matter": "填了区就要填事项",
    "has to run day and night, since urgent tickets do not wait": "紧急程度的上限须昼夜连续计时，请改单位",
    "is not a year": "不是年份",
    "is not near that year": "不在该年或上一年十二月",
    "lies before the first day or more than a month after it": "早于起日，或比起日晚一个多月",
    "is another day; make-up days take a row each": "调休上班须一天一行",
    "reads otherwise in another row of this year": "与同一年份其他行的文号不同",
    "the calendar says all of that already; nothing would change": "放假和上班的日子都没有变化，无需导入",
    "use 3 to 64 small letters, digits, dots, hyphens and underscores": (
        "须为 3 至 64 个小写字母、数字、点、连字符和下划线"
    ),
    "is out of use and new; leave the row out": "新账号不能一开始就停用，请删去这一行",
    "is of an administrator or auditor, whose role never changes; retire it and add another account": (
        "系统管理员和安全审计员的账号不能改角色，请停用它并另设账号"
    ),
    "is the name of both an administrator and an auditor, who must not be the same person": (
        "系统管理员和安全审计员不得是同一人；如是重名，请加以区分"
    ),
    "is no mail address; give one like li.na@city.example": "不是邮箱地址",
    "nobody closes their own account": "不能停用自己的账号",
    "this is the last active administrator; add another one first": "不能停用最后一个系统管理员",
    "lies before valid_from": "失效日早于生效日",
    "lies in the past: tickets have been dispatched by the catalogue of then": (
        "生效日须在今天之后；立即生效请空着（此前的工单已按当时的清单派出）"
    ),
    "say what changes: type, matter or urgency": "请至少更正事项、类型、紧急程度中的一项",
}

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"between 1 and (?P<most>\d+)"), "须在 1 至 %(most)s 之间"),
    (re.compile(r"unknown matter (?P<code>.*); use a code from A01 to G09"), "没有事项 %(code)s"),
    (
        re.compile(r"this matter must not be handed down to streets and towns \((?P<basis>.*)\)"),
        "该事项不得下派街道（镇）：%(basis)s",
    ),
    (re.compile(r"must have 1 to (?P<most>\d+) characters"), "须有 1 至 %(most)s 个字"),
    (re.compile(r"is longer than (?P<most>\d+) characters"), "超过 %(most)s 个字"),
    (re.compile(r"has no line for the whole city: (?P<kinds>.*)"), "这些环节没有全市通用的一行：%(kinds)s"),
    (re.compile(r"is beyond the (?P<most>\d+) new accounts that one file adds"), "一次最多新增 %(most)s 个账号"),
    (
        re.compile(r"there is a set of limits with the version '(?P<version>.*)' already; name it anew"),
        "已有名为 %(version)s 的版本，请另取版本名",
    ),
    (re.compile(r"(?P<day>\S+) is both a holiday and a make-up working day"), "%(day)s 既放假又调休上班"),
    (
        re.compile(r"use up to (?P<most>\d+) capital letters, digits and hyphens"),
        "请用大写字母、数字和连字符，最多 %(most)s 个",
    ),
    (re.compile(r"is none of (?P<words>.*)"), "须是其中之一：%(words)s"),
    (re.compile(r"holds more than (?P<most>\d+) cells; .*"), "超过 %(most)s 个单元格，请删除多余的空行空列"),
    (re.compile(r"has more than (?P<most>\d+) rows"), "超过 %(most)s 行"),
    (re.compile(r"has no sheet named (?P<title>.*)"), "没有名为“%(title)s”的工作表"),
    (re.compile(r"has an unknown column (?P<column>.*)"), "有不认识的列“%(column)s”，请删去或改正列名"),
    (re.compile(r"has the column (?P<column>.*) twice"), "列“%(column)s”出现了两次"),
    (re.compile(r"lacks the columns (?P<columns>.*)"), "缺少这些列：%(columns)s"),
    (re.compile(r"says again what row (?P<row>\d+) is about"), "与第 %(row)s 行重复"),
    (re.compile(r"there is no active department with the code (?P<code>.*)"), "没有承办单位 %(code)s，或已停用"),
    (re.compile(r"matters without a line for the whole city: (?P<matters>.*)"), "这些事项没有全市的条目：%(matters)s"),
    (
        re.compile(r"entries begin at (?P<at>.+) already, .*"),
        "已有 %(at)s 起生效的导入，请先在权责清单页撤回它，或选更晚的生效日",
    ),
    (
        re.compile(r"has (?P<count>\d+) open tickets; .*"),
        "还有 %(count)s 件未办结工单，请先改派或办结",
    ),
    (
        re.compile(r"has (?P<count>\d+) open co-handling parts; .*"),
        "还有 %(count)s 件协办任务，请先由它反馈",
    ),
    (
        re.compile(r"has (?P<count>\d+) accounts in use; .*"),
        "还有 %(count)s 个在用账号，请先停用或改到别的单位",
    ),
    (
        re.compile(r"is named in (?P<count>\d+) lines of the catalogue; .*"),
        "权责清单里还有 %(count)s 行列着它，请先导入不含它的清单",
    ),
    (re.compile(r"is larger than (?P<most>\d+) MB"), "超过 %(most)s MB"),
    (re.compile(r"a ticket has at most (?P<most>\d+) attachments"), "每件工单最多 %(most)s 个附件"),
    (re.compile(r"that ticket is no longer open \(state '.*'\)"), "那个工单已经结束，不能并入"),
)


def refusal(message: str) -> str:
    """Return ``message`` in the page's language; one that nobody has translated stays as it is."""
    if str(get_locale()) == "en":
        return message
    if message in WORDS:
        return str(_(WORDS[message]))
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(message)
        if found:
            return str(_(words, **found.groupdict()))
    return message
