from .messages import DrivenBy as DrivenBy
from .messages import Join as Join
from .messages import Picture as Picture
from .peer_sound import PeerSound as PeerSound
from .peer_voices import open_voice_of_peer as open_voice_of_peer
from .puppet_session import PuppetSession as PuppetSession
