"""Every refusal of labelkit: a code that never changes, a title, what happened, and what to do next.

An outcome is a value that is returned. A refusal is one of these exceptions. The README's table of codes is generated from the
classes below, so a class without a title or hint fails the tests.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class LabelkitError(Exception):
    """A refusal: `code`, `title`, `detail`, `hint`, the HTTP `status` where one is defined, and the `facts` it was built from."""

    code: ClassVar[str] = "LABELKIT_ERROR"
    status: ClassVar[int | None] = None
    title: ClassVar[str] = "labelkit refused"
    template: ClassVar[str] = "{reason}"
    advice: ClassVar[str] = "Read the detail; nothing was changed."

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        self.detail = self.template.format(**facts)
        self.hint = self.advice.format(**facts)
        super().__init__(f"{self.code}: {self.title}. {self.detail} Hint: {self.hint}")

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling, so that a refusal crosses process pools."""
        return (_rebuild, (type(self), self.facts))

    def as_dict(self) -> dict[str, object]:
        """Return code, title, detail, hint and status as plain JSON values."""
        return {"code": self.code, "title": self.title, "detail": self.detail, "hint": self.hint, "status": self.status}


def _rebuild(kind: type[LabelkitError], facts: dict[str, object]) -> LabelkitError:
    return kind(**facts)


def catalogue() -> list[type[LabelkitError]]:
    """Return every refusal class below `LabelkitError`, by code: the source of the README's table."""
    found: dict[str, type[LabelkitError]] = {}
    waiting = list(LabelkitError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return [found[code] for code in sorted(found)]


# --- everywhere -------------------------------------------------------------------------------------------------------------------


class PermissionDenied(LabelkitError):
    code = "PERMISSION_DENIED"
    status = 403
    title = "Not allowed"
    template = "{user} may not {action} in workspace {workspace}: this needs {needs}, and {user} is {role}."
    advice = "Ask an owner of the workspace, or open the store as a user with that role."


class NotFound(LabelkitError):
    code = "NOT_FOUND"
    status = 404
    title = "Not found"
    template = "There is no {kind} {name!r} here. {near}"
    advice = "Check the name; {listing} lists what exists."

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], listing: str) -> NotFound:
        """Return the refusal that names the nearest of what exists."""
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        near = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(names[:10])}." if names else "There are none yet."
        return cls(kind=kind, name=name, near=near, listing=listing)


class InvalidValue(LabelkitError):
    code = "INVALID_VALUE"
    status = 400
    title = "Invalid value"
    template = "{what}: {reason}"
    advice = "{fix}"


class ReasonRequired(LabelkitError):
    code = "REASON_REQUIRED"
    status = 400
    title = "A reason is required"
    template = "{action} was asked without a reason."
    advice = "Say why in reason=...; it is kept in the audit trail."


class IllegalStep(LabelkitError):
    code = "ILLEGAL_STEP"
    status = 409
    title = "Not possible in this state"
    template = "A {machine} that is {state} cannot {step}; possible now: {possible}."
    advice = "Reload to see the present state, then choose one of the possible steps."


# --- store ------------------------------------------------------------------------------------------------------------------------


class StoreBusy(LabelkitError):
    code = "STORE_BUSY"
    status = 503
    title = "The store is in use"
    template = "{path} has been locked since {since} by process {pid} of {user} on {host}; waited {waited_s:.1f} s."
    advice = "Wait and try again; if that process hangs, end it: the lock falls with it."


class StoreTooNew(LabelkitError):
    code = "STORE_TOO_NEW"
    title = "The store was written by a newer labelkit"
    template = "{path} has schema {found}, this labelkit knows up to {known}."
    advice = "Upgrade labelkit; an older one never writes into a newer store."


class StoreNotRecognized(LabelkitError):
    code = "STORE_NOT_RECOGNIZED"
    title = "Not a labelkit store"
    template = "{path} is not a labelkit store: {reason}."
    advice = "Name another path; labelkit never overwrites a file that it does not know."


class StoreReadOnly(LabelkitError):
    code = "STORE_READ_ONLY"
    title = "The store is read-only here"
    template = "{path} cannot be written: {reason}."
    advice = "Open a copy in a folder that you may write, or ask for write permission."


class StoreConflict(LabelkitError):
    code = "STORE_CONFLICT"
    status = 409
    title = "Someone else was first"
    template = "Another change to the same thing came first: {reason}."
    advice = "Nothing was changed. Load the present state and try again if the change is still wanted."


class StoreLocksUnsupported(LabelkitError):
    code = "STORE_LOCKS_UNSUPPORTED"
    title = "This place cannot hold a store"
    template = "{path} is on a filesystem without working file locks: {reason}."
    advice = "Put the store on a local disk; for a team on many hosts keep it in PostgreSQL."


class StorageReadFailed(LabelkitError):
    code = "STORAGE_READ_FAILED"
    status = 500
    title = "Stored content could not be read"
    template = "{what} could not be read: {reason}."
    advice = "Nothing was changed. Run `labelkit store check` to see what is damaged."


class StorageWriteFailed(LabelkitError):
    code = "STORAGE_WRITE_FAILED"
    status = 500
    title = "Content could not be stored"
    template = "{what} could not be written: {reason}."
    advice = "Nothing was changed. Check free space and permissions, then try again."


class AuditPersistFailed(LabelkitError):
    code = "AUDIT_PERSIST_FAILED"
    status = 500
    title = "The audit row could not be written"
    template = "The audit row of {action} could not be written: {reason}."
    advice = "Nothing was changed: an action without its audit row does not happen."


# --- review -----------------------------------------------------------------------------------------------------------------------


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
    advice = "Fix each finding (see .facts['findings']) and publish again."


class WarningsRequireOverride(LabelkitError):
    code = "WARNINGS_REQUIRE_OVERRIDE"
    status = 409
    title = "There are warnings"
    template = "{count} warning(s): {summary}."
    advice = "Look at them (see .facts['findings']); publish with override_warnings=True and a reason if they are acceptable."


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


# --- widgets ----------------------------------------------------------------------------------------------------------------------


class UnknownArgument(LabelkitError):
    code = "UNKNOWN_ARGUMENT"
    status = 400
    title = "Unknown argument"
    template = "{what} has no argument {name!r}; it has {known}."
    advice = "{likely}"


class UnknownCommand(LabelkitError):
    code = "UNKNOWN_COMMAND"
    status = 400
    title = "Unknown command"
    template = "{what} answers no command {name!r}; it answers {known}."
    advice = "Reload the page: the browser half and the kernel are of different versions."


# --- media ------------------------------------------------------------------------------------------------------------------------


class MediaNotFound(LabelkitError):
    code = "MEDIA_NOT_FOUND"
    status = 404
    title = "No such media"
    template = "{source} does not exist."
    advice = "Name a folder of images, a glob such as 'frames/*.jpg', or a video file."


class MediaEmpty(LabelkitError):
    code = "MEDIA_EMPTY"
    status = 400
    title = "No frames"
    template = "{source} has no frames: {reason}."
    advice = "Images are files that end in {suffixes}."


class MediaNotRecognized(LabelkitError):
    code = "MEDIA_NOT_RECOGNIZED"
    status = 400
    title = "Neither images nor a video"
    template = "{source} is no folder of images and no video that can be decoded: {reason}."
    advice = "Name a folder of images, a glob, or a video file that plays elsewhere."


class MediaUnreadable(LabelkitError):
    code = "MEDIA_UNREADABLE"
    status = 403
    title = "The media cannot be read"
    template = "{source} cannot be read: {reason}."
    advice = "Ask for permission to read the folder and every folder below it; nothing was added."


class VideoSupportMissing(LabelkitError):
    code = "VIDEO_SUPPORT_MISSING"
    title = "Videos need one more package"
    template = "{source} is to be decoded, but PyAV (the package av) is not installed: {reason}."
    advice = "Install it with `pip install 'labelkit[video]'`."


class FrameUnavailable(LabelkitError):
    code = "FRAME_UNAVAILABLE"
    status = 404
    title = "The frame has no picture"
    template = "Frame {index} ({name}) has no picture: {problem}."
    advice = "Repair the file and add the media again; labels and flags of the frame stay."


# --- formats ----------------------------------------------------------------------------------------------------------------------


class UnknownFormat(LabelkitError):
    code = "UNKNOWN_FORMAT"
    status = 400
    title = "Unknown format"
    template = "There is no {direction} for {name!r}. {near}"
    advice = "Known: {known}."


class LabelsNotFound(LabelkitError):
    code = "LABELS_NOT_FOUND"
    status = 404
    title = "No labels there"
    template = "{source}: {reason}."
    advice = "Name {expected}."


class LabelsUnreadable(LabelkitError):
    code = "LABELS_UNREADABLE"
    status = 400
    title = "The labels cannot be read"
    template = "{source}: {reason}."
    advice = "{fix}"


class ExportTargetTaken(LabelkitError):
    code = "EXPORT_TARGET_TAKEN"
    status = 409
    title = "The folder holds something else"
    template = "{target} holds {count} file(s) that no earlier export wrote, such as {example}."
    advice = "Name a new folder; only an earlier export is replaced."


class ClassesUnknown(LabelkitError):
    code = "CLASSES_UNKNOWN"
    status = 400
    title = "The class names are not known"
    template = "{source} has class numbers only: {reason}."
    advice = "Pass classes=[...] in the order of the numbers, or put {places} beside the labels."


# --- recipes ----------------------------------------------------------------------------------------------------------------------


class RecipeNotFound(LabelkitError):
    code = "RECIPE_NOT_FOUND"
    status = 404
    title = "No such recipe"
    template = "There is no notebook {recipe!r}. {near}"
    advice = "Name a notebook file, or one that comes with labelkit: {known}."


class RecipeParametersInvalid(LabelkitError):
    code = "RECIPE_PARAMETERS_INVALID"
    status = 400
    title = "The parameters do not fit the recipe"
    template = "{recipe}: {faults}."
    advice = "Its parameters are: {known}. No kernel was started."


class RecipeRefused(LabelkitError):
    code = "RECIPE_REFUSED"
    status = 422
    title = "The recipe was refused"
    template = "{recipe} stopped in the cell {cell!r} with {message}"
    advice = "Follow that hint; the executed notebook is kept in {notebook}."


class RecipeFailed(LabelkitError):
    code = "RECIPE_FAILED"
    status = 500
    title = "The recipe raised an error"
    template = "{recipe} stopped in the cell {cell!r} with {error}: {message}"
    advice = "Open the executed notebook, in which the cell is marked: {notebook}."


class RecipeKernelDied(LabelkitError):
    code = "RECIPE_KERNEL_DIED"
    status = 500
    title = "The kernel died"
    template = "{recipe} lost its kernel in the cell {cell!r}: {reason}"
    advice = "Most often memory ran out: choose fewer packs, or a larger machine. The notebook is kept in {notebook}."


class RecipeTimedOut(LabelkitError):
    code = "RECIPE_TIMED_OUT"
    status = 504
    title = "The recipe took too long"
    template = "{recipe} did not end within {timeout_s:g} s; it was in the cell {cell!r}."
    advice = "Give it more time with timeout_s (on the command line --timeout). The notebook is kept in {notebook}."


# --- datasets ---------------------------------------------------------------------------------------------------------------------


class FiltersNotSupported(LabelkitError):
    code = "FILTERS_NOT_SUPPORTED_V1"
    status = 400
    title = "Packs are chosen by id, not by a filter"
    template = "The field {field!r} would choose label packs by a filter, which builds do not do in v1."
    advice = "Name the packs in label_pack_ids=[...]; ws.datasets.candidates(capability) lists them with their ids."


class EligibilityOverrideForbidden(LabelkitError):
    code = "ELIGIBILITY_OVERRIDE_FORBIDDEN"
    status = 403
    title = "Reviewed revisions may not be included by you"
    template = "{user} asked to include REVIEWED revisions, which only a developer may."
    advice = "Have the revisions approved for datasets, or ask a developer to build."


class NoEligibleLabelData(LabelkitError):
    code = "NO_ELIGIBLE_LABEL_DATA"
    status = 400
    title = "Nothing is left to build from"
    template = "None of the {requested} requested label packs gives a sample: {summary}."
    advice = "ws.datasets.candidates(capability) shows each pack with its reason; approve packs and revisions first."


class SplitRatiosInvalid(LabelkitError):
    code = "SPLIT_RATIOS_INVALID"
    status = 400
    title = "The split ratios do not add up to 1"
    template = "The ratios {ratios} add up to {total}."
    advice = "Change them so that their sum is 1."


class SplitStrategyNotSupported(LabelkitError):
    code = "SPLIT_STRATEGY_NOT_SUPPORTED"
    status = 400
    title = "This split strategy does not exist here"
    template = "There is no split strategy {strategy!r}; there is {known}."
    advice = "Leave split_strategy out, or name one that exists."


class SplitPlacementConflict(LabelkitError):
    code = "SPLIT_PLACEMENT_CONFLICT"
    status = 409
    title = "Groups would have to leave their split"
    template = "Earlier versions of dataset {dataset} have groups in {splits}, which these ratios do not have; a placed group never moves."
    advice = "Keep these splits in the ratios (a share of 0 places nothing new there), or build under another name."


class MaterializationNotSupported(LabelkitError):
    code = "MATERIALIZATION_NOT_SUPPORTED"
    status = 400
    title = "This materialization does not exist here"
    template = "There is no materialization {materialization!r}; there is {known}."
    advice = "Leave materialization out and export the dataset, which writes its files."


class LabelPacksOverlap(LabelkitError):
    code = "LABEL_PACKS_OVERLAP"
    status = 400
    title = "Two packs label the same frames"
    template = "Label packs {packs} are both of media {media}, so each of its frames would be in the dataset twice."
    advice = "Choose one of them."


class DatasetQualityHardFail(LabelkitError):
    code = "DATASET_QUALITY_HARD_FAIL"
    status = 422
    title = "The dataset is not good enough to be built"
    template = "{count} hard fail(s): {summary}."
    advice = "The failed build {build} keeps its quality summary; correct the labels, or build with enforce_quality=False."


class DatasetNotReady(LabelkitError):
    code = "DATASET_NOT_READY"
    status = 409
    title = "The dataset has no content"
    template = "Dataset {dataset} is {status}{because}."
    advice = "ws.datasets.wait(build_id) waits for a running build; a failed one is built again by the same request."


class BuildFailed(LabelkitError):
    code = "BUILD_FAILED"
    status = 500
    title = "The build failed"
    template = "Build {build} failed: {failure}. {reason}"
    advice = "Remove the cause and send the same request again."


class BuildStillRunning(LabelkitError):
    code = "BUILD_STILL_RUNNING"
    status = 409
    title = "The build is still running"
    template = "Build {build} was waited for {waited_s:.0f} s and is still running."
    advice = "Wait again; a build whose process is gone is found out by the next request."


class JobLost(LabelkitError):
    code = "JOB_LOST"
    status = 409
    title = "The build was given up meanwhile"
    template = "Build {build} showed no sign of life for too long, so that it was marked as failed before it could finish."
    advice = "Nothing was written. Send the same request again."


class BuildSuperseded(LabelkitError):
    code = "BUILD_SUPERSEDED"
    status = 409
    title = "Other builds of the same dataset came first"
    template = "Dataset {dataset} got new versions while build {build} was running, which placed groups that it also has."
    advice = "Send the same request again: it will follow the placements that exist now."
