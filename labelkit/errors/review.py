"""Refusals of the review."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class InvalidOperation(LabelkitError):
    code = "INVALID_OPERATION"
    status = 400
    title = "The edit is not possible"
    template = "{reason}."
    advice = "The frame is as it was; correct the operation and send it again."


class UnknownAnnotation(LabelkitError):
    code = "UNKNOWN_ANNOTATION"
    status = 404
    title = "No such annotation"
    template = "Frame {frame} has no annotation {id!r}."
    advice = "Someone may have deleted it; reload the frame."


class UnknownFrame(LabelkitError):
    code = "UNKNOWN_FRAME"
    status = 404
    title = "No such frame"
    template = "The media has no frame {frame}."
    advice = "Frames count from 0."


class FrameNotEditable(LabelkitError):
    code = "FRAME_NOT_EDITABLE"
    status = 409
    title = "The frame has no picture"
    template = "Frame {frame} is missing or broken, so nothing can be drawn on it."
    advice = "Set a flag on it instead, or repair the file and add the media again."


class DraftVersionConflict(LabelkitError):
    code = "DRAFT_VERSION_CONFLICT"
    status = 409
    title = "The draft was saved elsewhere meanwhile"
    template = "Draft {draft} is at version {current}, this save was based on {base}; frames changed since: {frames}."
    advice = "Load the draft again; frames that only one side touched can be saved as they are."


class StaleDraftVersion(LabelkitError):
    code = "STALE_DRAFT_VERSION"
    status = 409
    title = "The draft changed before the publish"
    template = "Draft {draft} is at version {current}, not {expected}."
    advice = "Look at what changed, then publish the present version."


class ResetDraftRequired(LabelkitError):
    code = "RESET_DRAFT_REQUIRED"
    status = 409
    title = "The draft is in an older form"
    template = "Draft {draft} uses payload schema {schema}, in which ball points have no size."
    advice = "Reset the draft to its source prelabel pack, edit again, then publish."


class ValidationHardFail(LabelkitError):
    code = "VALIDATION_HARD_FAIL"
    status = 422
    title = "The labels are not valid"
    template = "{count} finding(s) must be fixed first: {summary}."
    advice = "Fix each finding (in Python: .facts['findings']) and publish again."


class WarningsRequireOverride(LabelkitError):
    code = "WARNINGS_REQUIRE_OVERRIDE"
    status = 409
    title = "There are warnings"
    template = "{count} warning(s): {summary}."
    advice = "Look at each (in Python: .facts['findings']); if acceptable, publish with an override (override_warnings=True) and a reason."


class OverrideForbidden(LabelkitError):
    code = "OVERRIDE_FORBIDDEN"
    status = 403
    title = "Warnings may not be overridden by you"
    template = "{user} may not override {count} warning(s): {summary}."
    advice = "Resolve the warnings, or ask a lead to publish."


class PublishLockConflict(LabelkitError):
    code = "PUBLISH_LOCK_CONFLICT"
    status = 409
    title = "Another publish came first"
    template = "Another publish into the same scope happened meanwhile: {reason}."
    advice = "Look at the newest revision, then publish again if it is still needed."


class PackNotApproved(LabelkitError):
    code = "LABEL_PACK_NOT_APPROVED"
    status = 409
    title = "The label pack is not approved"
    template = "Label pack {pack} has review status {review_status} and validation status {validation_status}."
    advice = "Approve the pack first; only a pack that passed validation can be approved."


class PackMismatch(LabelkitError):
    code = "LABEL_PACK_SCOPE_MISMATCH"
    status = 400
    title = "The label pack belongs elsewhere"
    template = "Label pack {pack} is of another scope than draft {draft}."
    advice = "Choose a pack of the draft's workspace, media and capability."


class EligibilityVersionConflict(LabelkitError):
    code = "ELIGIBILITY_VERSION_CONFLICT"
    status = 409
    title = "Someone changed the eligibility first"
    template = "Revision {revision} is {current} at version {version}, not at version {expected}."
    advice = "The row shows the present state; try again if the change is still wanted."


class RevisionNotEligible(LabelkitError):
    code = "REVISION_NOT_ELIGIBLE"
    status = 409
    title = "The revision cannot be approved"
    template = "Its label pack {pack} has review status {review_status} and validation status {validation_status}."
    advice = "Approve the pack (validation passed) first."


class ScopeMismatch(LabelkitError):
    code = "SCOPE_MISMATCH"
    status = 400
    title = "The run is of another scope"
    template = "Run {run} has no labels of {capability} on media {media}."
    advice = "Choose a run of this media and capability; ws.prelabels.runs(...) lists them."


class LabelsAllRefused(LabelkitError):
    code = "LABELS_ALL_REFUSED"
    status = 400
    title = "No label could be imported"
    template = "All {count} records of {source} were refused: {summary}."
    advice = "Check that the format, classes and media belong to these labels; nothing was imported."


class DiffImpossible(LabelkitError):
    code = "DIFF_IMPOSSIBLE"
    status = 400
    title = "These two cannot be compared"
    template = "{left} and {right}: {reason}."
    advice = "Compare labels of one capability over the same frames."
