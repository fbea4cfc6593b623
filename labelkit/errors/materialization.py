"""Refusals of materializing a dataset: what may be asked for, and where it may go."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class CropsNeedBoxes(LabelkitError):
    code = "MATERIALIZATION_CROPS_NEED_BOXES"
    status = 400
    title = "Points cannot be cut out"
    template = "Capability {capability} is labelled with points, which have no extent to cut out."
    advice = "Choose 'link' or 'copy', which bring the whole frames."


class LinkImpossible(LabelkitError):
    code = "MATERIALIZATION_LINK_IMPOSSIBLE"
    status = 409
    title = "The pictures cannot be hard-linked there"
    template = "{target} cannot have hard links to {source}: {reason}."
    advice = "Choose a folder on the disk of the pictures, mode='copy', or copy_if_unlinkable=True, which copies what cannot be linked."


class MaterializationTargetTaken(LabelkitError):
    code = "MATERIALIZATION_TARGET_TAKEN"
    status = 409
    title = "The place holds something else"
    template = "{target} holds {found}; a place holds one version in one mode."
    advice = "Name an empty place, or one below it; nothing was changed."


class MaterializationTargetUnreachable(LabelkitError):
    code = "MATERIALIZATION_TARGET_UNREACHABLE"
    status = 400
    title = "The place cannot be reached"
    template = "{target} cannot be read or written: {reason}."
    advice = "Check the address and storage_options, and that the package for its protocol is installed, such as labelkit[s3]."
