"""Every error a user can meet, as one tree.

FacepuppetError
├── CaptureError
│   ├── CameraMissingError      no such camera, or it was unplugged and did not come back
│   ├── CameraBusyError         another program holds it
│   ├── CameraBlackError        it delivers only black frames
│   └── MediaUnreadableError    a file, folder or URL that cannot be decoded
├── PortraitError
│   ├── ImageUnreadableError    not a picture, damaged, or too large to decode safely
│   ├── NoFaceError             the portrait shows no face
│   ├── SeveralFacesError       the portrait shows more than one face
│   ├── FaceTooSmallError       too few pixels across the face
│   ├── FaceTurnedAwayError     a profile or steeply tilted view
│   ├── OtherPersonError        a further picture that shows somebody else
│   ├── PortraitUnfitError      blurred, badly lit, covered, or with its eyes shut
│   └── LandmarksError          a file of hand-placed landmarks that is malformed, or places no face
├── AvatarPackError             a .puppet file that is malformed, hostile or too new
├── ConsentError                a statement of right to use that is malformed, forged or of another portrait
│   ├── ConsentMissingError     nobody said by what right the portrait is used
│   └── ConsentRevokedError     the right was taken back
├── ProfileError                a driver profile that is malformed or not neutral
├── DriverError                 whoever moves the puppet cannot go on
│   ├── RecordingError          a recording of a performance that is damaged, cut off or of another version
│   └── SpeechError             a command that should speak, and is missing, fails, hangs or answers no sound
├── SenderError                 a receiver of the driver's face that is none, or cannot be spoken to
├── SettingsError               settings, hotkeys or users that are malformed, too new, or cannot be written
├── StyleError                  a style that is malformed or unknown, or cannot be learnt
├── ControlError                a command for a running puppet that cannot be obeyed
├── ControlRoomError            no port for the page, no run to speak to, or one that does not answer
├── ServerError                 tokens, addresses or offers that will not do, a server that cannot start
├── NoDriverFaceError           an offline input in which no frame shows a face
├── ManifestError               engines/manifest.toml or a network file that does not match it
├── EngineError                 an inference engine that cannot be built, loaded or run here
│   └── EngineRefusedError      a built engine that its library does not load, as of another version or GPU
├── TrackerError            an unknown tracker, or one whose package is not installed
├── StageError                  a stage of the pipeline that failed in a way nobody foresaw
├── SoundError                  a microphone or an output for sound that cannot be used; the show goes on
├── LatencyError                a delay that could not be measured
├── WatermarkError              a bad key or payload, or media that cannot be examined
└── SinkError
    ├── VirtualCameraMissingError   no virtual camera driver
    ├── OutputUnwritableError       read-only folder, bad extension, disk full
    └── WindowUnavailableError      no display
"""


class FacepuppetError(Exception):
    """A problem told in one sentence each: what was got, what was expected, what to do next."""

    def __init__(self, got: str, expected: str, todo: str) -> None:
        super().__init__(got, expected, todo)
        self.got = got
        self.expected = expected
        self.todo = todo

    def __str__(self) -> str:
        return f"Got {self.got}; expected {self.expected}. {self.todo}"


class CaptureError(FacepuppetError):
    """A camera, file, folder or URL that cannot deliver frames."""


class CameraMissingError(CaptureError):
    """No such camera, or it was unplugged and did not come back."""


class CameraBusyError(CaptureError):
    """Another program holds the camera."""


class CameraBlackError(CaptureError):
    """The camera delivers only black frames."""


class MediaUnreadableError(CaptureError):
    """A file, folder or URL that cannot be decoded."""


class PortraitError(FacepuppetError):
    """A picture that cannot become an avatar."""


class ImageUnreadableError(PortraitError):
    """Not a picture, damaged, or too large to decode safely."""


class NoFaceError(PortraitError):
    """The portrait shows no face."""


class SeveralFacesError(PortraitError):
    """The portrait shows more than one face."""


class FaceTooSmallError(PortraitError):
    """Too few pixels across the portrait's face."""


class FaceTurnedAwayError(PortraitError):
    """The portrait's face is in profile or steeply tilted."""


class PortraitUnfitError(PortraitError):
    """A portrait beyond the calibration's limits: blurred, badly lit, covered, eyes shut."""


class OtherPersonError(PortraitError):
    """A further picture does not show the portrait's person."""


class LandmarksError(PortraitError):
    """A file of hand-placed landmarks that is malformed, or whose points form no face."""


class AvatarPackError(FacepuppetError):
    """A .puppet file that is malformed, hostile or too new."""


class ConsentError(FacepuppetError):
    """A statement of right to use that is malformed, forged, or about another portrait."""


class ConsentMissingError(ConsentError):
    """Nobody said by what right the portrait is used."""


class ConsentRevokedError(ConsentError):
    """The right to use the portrait was taken back."""


class ProfileError(FacepuppetError):
    """A driver profile that is malformed or not neutral."""


class DriverError(FacepuppetError):
    """Whoever moves the puppet cannot go on."""


class RecordingError(DriverError):
    """A recording of a performance that is damaged, cut off, or of another version."""


class SpeechError(DriverError):
    """A command that should speak, and is missing, fails, hangs or answers no sound."""


class SenderError(FacepuppetError):
    """A receiver of the driver's face that is none, or cannot be spoken to."""


class SettingsError(FacepuppetError):
    """A file of kept settings, of hotkeys, or of a user, that is malformed, too new, or cannot be written."""


class StyleError(FacepuppetError):
    """A style that is malformed or unknown, or cannot be learnt.

    Attributes:
        line: of the file, from 1, where it is one line's fault.
    """

    def __init__(self, got: str, expected: str, todo: str, line: int | None = None) -> None:
        super().__init__(got, expected, todo)
        self.line = line


class ControlError(FacepuppetError):
    """A command for a running puppet that cannot be obeyed; the show goes on as it was."""


class ControlRoomError(FacepuppetError):
    """The control room cannot be opened, or no run is there to be spoken to."""


class ServerError(FacepuppetError):
    """Tokens, addresses or offers of peers that will not do, or a server that cannot start."""


class NoDriverFaceError(FacepuppetError):
    """An offline input in which no frame shows a face."""


class ManifestError(FacepuppetError):
    """The engines manifest, or a network file that does not match it."""


class EngineError(FacepuppetError):
    """An inference engine (TensorRT, CUDA, ...) that cannot be built, loaded or run here."""


class EngineRefusedError(EngineError):
    """A built engine that its library does not load: of another version, another GPU, or damaged."""


class TrackerError(FacepuppetError):
    """An unknown tracker, or one whose package is not installed."""


class StageError(FacepuppetError):
    """A stage of the pipeline that failed in a way nobody foresaw; the cause is attached."""


class SoundError(FacepuppetError):
    """A microphone or an output for sound that cannot be used; the show goes on."""


class LatencyError(FacepuppetError):
    """A delay that could not be measured."""


class WatermarkError(FacepuppetError):
    """A bad key or payload, or media that cannot be examined."""


class SinkError(FacepuppetError):
    """An output that cannot take frames."""


class VirtualCameraMissingError(SinkError):
    """No virtual camera driver on this machine."""


class OutputUnwritableError(SinkError):
    """A file output that cannot be written: read-only folder, bad extension, disk full."""


class WindowUnavailableError(SinkError):
    """No display to show a preview window on."""
