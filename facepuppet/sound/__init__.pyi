from .microphone import Microphone as Microphone
from .portaudio import PortAudio as PortAudio
from .sound_state import SoundState as SoundState
