"""The model's page: how it does on living tickets, and for the administrator which version serves."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from hotline.domain.audit import AuditAction
from hotline.domain.people import Permission
from hotline.ml.errors import ModelError
from hotline.ml.registry import default_corpus_folder, default_models_folder
from hotline.services.learning import DRIFT_ALARM, confirmed_tickets, live_report
from hotline.services.model_versions import model_versions
from hotline.storage.engine import transaction
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime

if TYPE_CHECKING:
    from hotline.ml.promotion import Fall

SPANS = (7, 30, 90, 365)

# Below this many cases a percentage says little, and its interval is shown beside it.
SMALL_SAMPLE = 100


@bp.get("/models")
@requires(Permission.READ_MODELS)
def models() -> View:
    """The figures of the last ``?days=``, by version and by matter, and the versions on disk."""
    chosen = request.args.get("days", "")
    days = int(chosen) if chosen in map(str, SPANS) else SPANS[1]
    now = runtime().context.now()
    start = now - timedelta(days=days)
    with transaction(runtime().sessions) as session:
        report = live_report(session, start, now, start - timedelta(days=days))
    return render_template(
        "models.html",
        report=report,
        days=days,
        spans=SPANS,
        versions=model_versions(_folder()),
        small=SMALL_SAMPLE,
        alarm=DRIFT_ALARM,
    )


@bp.post("/models/<version>/promote")
@requires(Permission.MANAGE_MODELS, longest_body=SMALL_BODY)
def promote_model(version: str) -> View:
    """Let a version serve unless it is worse on held-out texts and tickets; force needs a reason."""
    # Imported here: measuring needs scikit-learn, which would double the memory of every web process.
    from hotline.ml.promotion import compare
    from hotline.services.retraining import held_out_in, settle

    reason, force = _reason(), request.form.get("force") == "yes"
    if force and not reason:
        flash(_("强制启用必须写明理由。"), "danger")
        return redirect(url_for(".models"))
    with transaction(runtime().sessions) as session:
        tickets = [row for row in confirmed_tickets(session) if row.held_out]
    data = (default_corpus_folder(), *runtime().settings.training_data)
    try:
        compared = compare(_folder(), version, [*held_out_in(data), *tickets])
        parts = runtime()
        serves = settle(
            parts.sessions, parts.context, _folder(), version, compared, actor=actor(), reason=reason, force=force
        )
    except (ModelError, OSError) as error:
        flash(_("未启用 %(version)s：%(why)s", version=version, why=str(error)), "danger")
        return redirect(url_for(".models"))
    if serves:
        flash(_("已启用 %(version)s，各进程数秒内换用。", version=version), "success")
    else:
        why = "；".join(_words(fall) for fall in compared.falls)
        flash(_("未启用 %(version)s：在留出文本上变差（%(why)s）。", version=version, why=why), "danger")
    return redirect(url_for(".models"))


@bp.post("/models/rollback")
@requires(Permission.MANAGE_MODELS, longest_body=SMALL_BODY)
def roll_back_model() -> View:
    """Let the version before the last promotion serve again; needs a reason."""
    from hotline.ml.promotion import roll_back
    from hotline.services.retraining import note

    reason = _reason()
    if not reason:
        flash(_("回退必须写明理由。"), "danger")
        return redirect(url_for(".models"))
    try:
        stopped, serving = roll_back(_folder(), reason)
    except (ModelError, OSError) as error:
        flash(_("没有回退：%(why)s", why=str(error)), "danger")
        return redirect(url_for(".models"))
    parts = runtime()
    detail = {"stopped": stopped}
    note(
        parts.sessions,
        parts.context,
        AuditAction.MODEL_ROLLED_BACK,
        serving,
        detail,
        actor=actor(),
        reason=reason,
    )
    flash(_("已回退到 %(serving)s。", serving=serving), "success")
    return redirect(url_for(".models"))


def _words(fall: "Fall") -> str:
    what = _("任务 %(task)s 的 F1", task=fall.task) if fall.task else _("各事项平均 F1")
    words: str = _(
        "%(what)s 由 %(before)s 降至 %(after)s", what=what, before=f"{fall.before:.3f}", after=f"{fall.after:.3f}"
    )
    return words


def _folder() -> Path:
    return runtime().settings.models_folder or default_models_folder()


def _reason() -> str:
    return request.form.get("reason", "").strip()[:500]
