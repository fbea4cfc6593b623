"""Frames out of folders of images and out of videos."""

from labelkit.media.scanned import FRAMES, ScannedMedia, frames_of
from labelkit.media.sources import FrameSource, open_frames, scan

__all__ = ["FRAMES", "FrameSource", "ScannedMedia", "frames_of", "open_frames", "scan"]
