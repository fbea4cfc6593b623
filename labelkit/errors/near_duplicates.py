"""Refusals of near-duplicates."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class NearDuplicatesNotSearched(LabelkitError):
    code = "NEAR_DUPLICATES_NOT_SEARCHED"
    status = 409
    title = "Near-duplicates are not known yet"
    template = "{count} of {total} media were not searched for near-duplicate frames, so their groups may be parted from what looks alike."
    advice = "ws.datasets.find_near_duplicates(label_pack_ids=[...]) with the packs of this request searches what is missing."


class NearDuplicatesAcrossSplits(LabelkitError):
    code = "NEAR_DUPLICATES_ACROSS_SPLITS"
    status = 409
    title = "Near-duplicates stay in different splits"
    template = "{count} clusters of groups with near-duplicate frames lie in several splits, such as {groups} in {splits}."
    advice = (
        "ws.datasets.near_duplicates() shows the frames; rule out what is different, leave packs out, or build under another name, where"
        " no group is placed yet."
    )


class NearDuplicateRulingConflict(LabelkitError):
    code = "NEAR_DUPLICATE_RULING_CONFLICT"
    status = 409
    title = "Somebody else ruled on this pair first"
    template = "Pair {pair} was expected at ruling {expected}, and is at {present}."
    advice = "Look at the pair again in ws.datasets.near_duplicates(), then rule if it is still needed."
