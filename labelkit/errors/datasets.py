"""Refusals of datasets."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


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


class SplitMissing(LabelkitError):
    code = "SPLIT_MISSING"
    status = 400
    title = "Some media have no split"
    template = "{count} media have nothing in {column}, among them {media}."
    advice = "Add media with split=..., name another split_column, or leave their packs out."


class SplitCutsGroup(LabelkitError):
    code = "SPLIT_CUTS_GROUP"
    status = 400
    title = "A group would be cut"
    template = "The column {column} puts group {group} into {splits}; what is alike would be on both sides."
    advice = "Give all media of a group the same split, or choose another split_strategy."


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


class BuildCanceled(LabelkitError):
    code = "BUILD_CANCELED"
    status = 409
    title = "The build was stopped"
    template = "Build {build} was stopped before it was done."
    advice = "Nothing of it was kept. Send the same request again when you want it after all."


class BuildNotRunning(LabelkitError):
    code = "BUILD_NOT_RUNNING"
    status = 409
    title = "There is nothing to stop"
    template = "Build {build} has ended: {status}."
    advice = 'ws.datasets.list(status="running") shows the builds that run.'


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
