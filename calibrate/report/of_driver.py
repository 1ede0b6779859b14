"""What a driver profile tells: the resting face, and how far each channel goes from it."""

from __future__ import annotations

from dataclasses import asdict

from calibrate.report.charts import face_chart, range_chart
from calibrate.report.model import Chart, Section
from facepuppet.drivers import CHANNELS, DEGREES, Channel, DriverProfile, Range

LITTLE = 0.25  # of what lively people do; a channel that moved less was hardly tried


def driver_sections(profile: DriverProfile) -> tuple[Section, ...]:
    """Return the sections about a driver."""
    return (_rest_section(profile), _range_section(profile))


def _rest_section(profile: DriverProfile) -> Section:
    neutral = profile.neutral
    shut = neutral.eye_shut / neutral.eye_opening
    return Section(
        "driver-rest",
        "The driver at rest",
        "All motion is measured against this face. It is a drawing of landmarks: a profile holds no picture. "
        f"Shut lids still show {100 * shut.mean():.0f} % of the open aperture to the tracker.",
        charts=(Chart("Resting face", face_chart(neutral.landmarks_head, "The resting face as lines")),),
        facts={
            "eye_opening": [round(x, 4) for x in neutral.eye_opening.tolist()],
            "eye_shut": [round(x, 4) for x in neutral.eye_shut.tolist()],
        },
    )


def _range_section(profile: DriverProfile) -> Section:
    key, title = "driver-ranges", "How far the driver goes"
    if not profile.ranges:
        return Section(key, title, "This profile is of an older version and tells no ranges; make a new one.")
    charts = [
        Chart(CHANNELS[name].label, range_chart(CHANNELS[name], seen), _words(CHANNELS[name], seen))
        for name, seen in profile.ranges.items()
    ]
    return Section(
        key,
        title,
        "The dot is rest, the band is what was reached, and the line is as long as what two lively people "
        "reach. The numbers are low, rest and high. What hardly moved was perhaps not tried.",
        charts=tuple(charts),
        facts={
            name: {
                **asdict(seen),
                "unit": CHANNELS[name].unit,
                "moved": _share(CHANNELS[name], seen) >= LITTLE,
            }
            for name, seen in profile.ranges.items()
        },
    )


def _words(channel: Channel, seen: Range) -> str:
    low, rest, high = (_number(channel, value) for value in (seen.low, seen.rest, seen.high))
    told = f"{low} · {rest} · {high} {channel.unit}"
    return told if _share(channel, seen) >= LITTLE else f"{told} (hardly moved)"


def _number(channel: Channel, value: float) -> str:
    return f"{value:.0f}" if channel.unit == DEGREES else f"{value:.2f}"


def _share(channel: Channel, seen: Range) -> float:
    return (seen.high - seen.low) / channel.span
