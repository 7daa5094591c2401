"""What the services need besides the database: a clock, the model, the vault, the calendar and the limits.

``hotline.bootstrap`` builds one per process; tests and the demo builder put their own clock in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hotline.domain.calendar import Calendar
from hotline.domain.kpi import DEFAULT_WEIGHTS, Weights
from hotline.domain.limits import LimitRules
from hotline.domain.taxonomy import Taxonomy
from hotline.domain.timekeeping import Timekeeping
from hotline.ml.classifier import Prediction
from hotline.ml.similar import SimilarModel
from hotline.storage.files import FileStore
from hotline.storage.vault import Vault

# Returns the present instant, timezone-aware UTC.
Clock = Callable[[], datetime]


class Classifier(Protocol):
    """What triage asks of a model."""

    @property
    def version(self) -> str:
        """The model version that a prediction is recorded under."""
        ...

    def predict(self, title: str, content: str) -> Prediction:
        """Read one ticket."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of a service call.

    ``classifier`` returns None while no usable model is there.  ``timekeeping`` gives calendar and limits as they are
    now: both may be exchanged while the process runs.  ``blind_share`` of the tickets that the model would
    dispatch go to a dispatcher who does not see its answer; ``answer_followup_share`` of what is answered at once is
    followed up, the risky ones more.  ``weights`` are those of the composite score.  ``notifies`` says that a notifier
    is configured, so that notifications are worth writing down.
    ``similar`` gives the similarity model; None while there is none, and then nothing is found similar.
    ``files`` keeps what is attached to tickets; None where no folder is configured.
    """

    now: Clock
    taxonomy: Taxonomy
    classifier: Callable[[], Classifier | None]
    vault: Vault
    timekeeping: Callable[[], Timekeeping]
    blind_share: float = 0.0
    answer_followup_share: float = 0.0
    weights: Weights = DEFAULT_WEIGHTS
    notifies: bool = False
    similar: Callable[[], SimilarModel | None] = lambda: None
    files: FileStore | None = None

    @property
    def calendar(self) -> Calendar:
        """The working calendar in force."""
        return self.timekeeping().calendar

    @property
    def limits(self) -> LimitRules:
        """The limits of what starts now."""
        return self.timekeeping().limits_at(self.now())
