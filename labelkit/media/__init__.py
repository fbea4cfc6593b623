"""Frames out of folders of images and out of videos."""

from labelkit.media.scanned import FRAMES, ScannedMedia
from labelkit.media.sources import FrameSource, open_frames, scan

__all__ = ["FRAMES", "FrameSource", "ScannedMedia", "open_frames", "scan"]
