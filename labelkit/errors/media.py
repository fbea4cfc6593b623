"""Refusals of media."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


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
