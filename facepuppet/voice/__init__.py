"""From the sound of a voice to a face that speaks: causal, any language, with at most 60 ms of look-ahead.

sound → VoiceSpectrum → MouthNetwork → VoiceFrame → Gestures → SpeakingFace

voice_spectrum.py   what a voice sounds like, 50 times a second
hearing.py          the network that hears mouth shapes in it (VoiceFrame)
plain_mouth.py      the same by signal processing alone, which the network has to beat
gestures.py         what head, eyes, brows and breath do with speech: prosody.py hears phrases and stress in
                    frames; nods, blinks, glances, brows, breaths and beat each move one thing by it (Bearing)
mood.py             valence and arousal heard in the voice, and how a face looks with them
posing.py           as lively, and as much of that, as was asked for (VoiceManner → Gesture)
speaking_face.py    all together: sound in, expressions of any moment out
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
