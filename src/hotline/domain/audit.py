"""What the audit log tells of, and the words for it."""

from enum import StrEnum


class AuditAction(StrEnum):
    """What happened.  Other parts of the program may add kinds of their own; the log takes any."""

    LOGIN = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    LOGIN_LOCKED = "login.locked"
    LOGOUT = "logout"
    ACCOUNT_ADDED = "account.added"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - no secret
    ROLE_CHANGED = "role.changed"
    TOTP_ENROLLED = "totp.enrolled"
    TOTP_RESET = "totp.reset"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - no secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - no secret
    CALLER_REVEALED = "caller.revealed"
    ACCESS_REFUSED = "access.refused"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_VERIFIED = "audit.verified"
    CLOSED_OUT = "retention.closed_out"
    KEYS_ROTATED = "keys.rotated"
    BACKED_UP = "database.backed_up"
    RESTORED = "database.restored"
    EMAIL_CHANGED = "account.email_changed"
    CALENDAR_IMPORTED = "calendar.imported"
    LIMITS_IMPORTED = "limits.imported"
    CATALOGUE_IMPORTED = "catalogue.imported"
    KNOWLEDGE_CHANGED = "knowledge.changed"
    DEPARTMENT_ADDED = "department.added"
    DEPARTMENT_CHANGED = "department.changed"
    ACCOUNT_CHANGED = "account.changed"
    LIST_EXPORTED = "list.exported"
    MODEL_TRAINED = "model.trained"
    MODEL_PROMOTED = "model.promoted"
    MODEL_NOT_PROMOTED = "model.not_promoted"
    MODEL_ROLLED_BACK = "model.rolled_back"


AUDIT_NAMES: dict[str, str] = {
    AuditAction.LOGIN: "登录成功",
    AuditAction.LOGIN_FAILED: "登录失败",
    AuditAction.LOGIN_LOCKED: "登录失败，账号锁定",
    AuditAction.LOGOUT: "退出登录",
    AuditAction.ACCOUNT_ADDED: "新增账号",
    AuditAction.ACCOUNT_DISABLED: "停用账号",
    AuditAction.ACCOUNT_ENABLED: "启用账号",
    AuditAction.PASSWORD_CHANGED: "修改密码",
    AuditAction.ROLE_CHANGED: "变更角色",
    AuditAction.TOTP_ENROLLED: "启用动态口令",
    AuditAction.TOTP_RESET: "重置动态口令",
    AuditAction.TOKEN_ISSUED: "签发令牌",
    AuditAction.TOKEN_REVOKED: "吊销令牌",
    AuditAction.CALLER_REVEALED: "查看诉求人信息",
    AuditAction.ACCESS_REFUSED: "越权被拒",
    AuditAction.AUDIT_EXPORTED: "导出审计日志",
    AuditAction.AUDIT_VERIFIED: "校验审计日志",
    AuditAction.CLOSED_OUT: "清除超期个人信息",
    AuditAction.KEYS_ROTATED: "更换加密密钥",
    AuditAction.BACKED_UP: "备份数据库",
    AuditAction.RESTORED: "恢复数据库",
    AuditAction.EMAIL_CHANGED: "变更邮箱",
    AuditAction.CALENDAR_IMPORTED: "导入工作日历",
    AuditAction.LIMITS_IMPORTED: "导入时限规则",
    AuditAction.CATALOGUE_IMPORTED: "导入权责清单",
    AuditAction.KNOWLEDGE_CHANGED: "变更知识库",
    AuditAction.DEPARTMENT_ADDED: "新增承办单位",
    AuditAction.DEPARTMENT_CHANGED: "变更承办单位",
    AuditAction.ACCOUNT_CHANGED: "变更账号资料",
    AuditAction.LIST_EXPORTED: "导出清单",
    AuditAction.MODEL_TRAINED: "训练模型",
    AuditAction.MODEL_PROMOTED: "启用模型版本",
    AuditAction.MODEL_NOT_PROMOTED: "新模型未达标，未启用",
    AuditAction.MODEL_ROLLED_BACK: "回退模型版本",
}


def account_subject(username: str) -> str:
    """Return how the log names an account that something was done to."""
    return f"account:{username}"


def token_subject(token_id: int) -> str:
    """Return how the log names a token."""
    return f"token:{token_id}"
