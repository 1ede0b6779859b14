from .capture_thread import CaptureThread as CaptureThread
from .devices import list_virtual_cameras as list_virtual_cameras
from .formats import IMAGE_SUFFIXES as IMAGE_SUFFIXES
from .formats import VIDEO_SUFFIXES as VIDEO_SUFFIXES
from .image_source import images_in as images_in
from .pictures import load_picture as load_picture
from .source import Source as Source
from .source_words import open_source as open_source
