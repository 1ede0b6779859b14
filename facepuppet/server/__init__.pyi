from .messages import Answered as Answered
from .messages import DrivenBy as DrivenBy
from .messages import Errand as Errand
from .messages import Join as Join
from .messages import Over as Over
from .messages import Picture as Picture
from .peer_connection import PeerConnection as PeerConnection
from .session_host import SessionHost as SessionHost
