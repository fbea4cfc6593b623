"""Refusals of frozen test sets."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError
from labelkit.errors.everywhere import PermissionDenied


class FrozenDatasetTrainingForbidden(LabelkitError):
    code = "FROZEN_DATASET_TRAINING_FORBIDDEN"
    status = 403
    title = "A frozen test set is never trained on"
    template = "{dataset} is a frozen test set since {since}."
    advice = 'Train on another dataset. The doors to this one are for_evaluation(...) and export(..., purpose="evaluation").'


class FrozenSourceLeakageForbidden(LabelkitError):
    code = "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    status = 403
    title = "The dataset shares sources with a frozen test set"
    template = "{dataset} shares {paths}."
    advice = "Build it again without these packs and media, or train on a split that has none of them; dataset.leakage() lists every path."


class DatasetNotFrozen(LabelkitError):
    code = "DATASET_NOT_FROZEN"
    status = 409
    title = "The dataset is no frozen test set"
    template = "{dataset} is not frozen."
    advice = "Choose a frozen one: ws.datasets.list() says in is_frozen which they are; a developer or support can freeze this one."


class DatasetAlreadyFrozen(LabelkitError):
    code = "DATASET_ALREADY_FROZEN"
    status = 409
    title = "The dataset is frozen already"
    template = "{dataset} was frozen by {by} at {since}."
    advice = "Nothing is left to do; dataset.freeze_history() tells why it was frozen."


class UnfreezePermissionRequired(PermissionDenied):
    code = "UNFREEZE_PERMISSION_REQUIRED"
    title = "Only a developer unfreezes"
    advice = "Ask a developer, and say why; dataset.freeze_history() tells who froze it."


class UnfreezeReasonRequired(LabelkitError):
    code = "UNFREEZE_REASON_REQUIRED"
    status = 400
    title = "Unfreezing needs a reason"
    template = "{dataset} was to be unfrozen without a reason."
    advice = "Say why in reason=...; it is kept in the history."


class DatasetInActiveUse(LabelkitError):
    code = "DATASET_IN_ACTIVE_USE"
    status = 409
    title = "Somebody is training on it or on its sources"
    template = "{dataset} cannot be frozen while {leases}."
    advice = "Wait until the training has ended, or end it; one whose process is gone is found out by the next freeze."


class FreezeStateConflict(LabelkitError):
    code = "FREEZE_STATE_CONFLICT"
    status = 409
    title = "Somebody else changed it first"
    template = "The frozen state that this rests on is not the present one: {reason}."
    advice = "Read dataset.freezing again, look at who changed what, and decide anew."


class TrainingLeaseLost(LabelkitError):
    code = "TRAINING_LEASE_LOST"
    status = 409
    title = "The training was given up meanwhile"
    template = "The training lease on {dataset} showed no sign of life for too long, and somebody froze what it shares sources with."
    advice = "Do not evaluate what was trained on that frozen test set: it may have seen it. Train again."
