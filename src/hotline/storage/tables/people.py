"""Accounts, their API tokens, districts and the tree of departments."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.domain.departments import DepartmentKind
from hotline.domain.people import Role
from hotline.storage.tables.base import Base, Key

_ROLES = ", ".join(f"'{role}'" for role in Role if role is not Role.SYSTEM)
_KINDS = ", ".join(f"'{kind}'" for kind in DepartmentKind)


class District(Base):
    """A district of the city (区)."""

    __tablename__ = "district"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    residents: Mapped[int] = mapped_column(default=0, server_default="0")


class Department(Base):
    """An office that handles tickets (承办单位): bureau, district bureau, street or utility, in one tree."""

    __tablename__ = "department"
    __table_args__ = (CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),)

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    district: Mapped[str | None] = mapped_column(ForeignKey("district.code"))
    active: Mapped[bool] = mapped_column(default=True, server_default="true")


class Account(Base):
    """A person who signs in.  The password is an argon2 hash."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint(f"role IN ({_ROLES})", name="role_known"),)

    id: Mapped[Key]
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    role: Mapped[str]
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    # Where notifications go; None for nowhere.
    email: Mapped[str | None]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    failed_logins: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    # The second factor's secret, sealed, and the last time step it was used in: a code is good for one login.
    totp_sealed: Mapped[str | None]
    totp_step: Mapped[int | None]
    # Raised when the password changes or the account is closed; sessions of an earlier epoch end.
    session_epoch: Mapped[int] = mapped_column(default=0, server_default="0")

    department: Mapped[Department | None] = relationship()


class ApiToken(Base):
    """A bearer token of an account.  Only the SHA-256 of the token is kept."""

    __tablename__ = "api_token"

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    # Permissions that the token is limited to; None gives all that the account's role may.
    scopes: Mapped[list[str] | None]

    account: Mapped[Account] = relationship()
