from .sender import Sender as Sender
from .sender_words import open_sender as open_sender
from .sending_driver import SendingDriver as SendingDriver
from .udp_sender import UdpSender as UdpSender
