from .page_preview import PagePreview as PagePreview
from .room import ControlRoom as ControlRoom
from .room_client import RoomClient as RoomClient
from .room_client import find_room as find_room
from .run_file import Running as Running
from .run_file import find_running as find_running
