"""The invisible keyed mark that every outgoing frame carries, and its detector."""

from facepuppet.watermark.detection import Detection, detect
from facepuppet.watermark.detector import Detector
from facepuppet.watermark.finding import Finding
from facepuppet.watermark.keys import PUBLIC_KEY, Key
from facepuppet.watermark.mark import Marker
from facepuppet.watermark.marked import Marked
from facepuppet.watermark.payload import Payload

__all__ = ["PUBLIC_KEY", "Detection", "Detector", "Finding", "Key", "Marked", "Marker", "Payload", "detect"]
