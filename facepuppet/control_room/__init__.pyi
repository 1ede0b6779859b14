from .page_preview import PagePreview as PagePreview
from .room import ControlRoom as ControlRoom
from .run_file import Running as Running
from .run_file import find_running as find_running
