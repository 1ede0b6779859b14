"""From a pack or a driver profile to a report."""

from __future__ import annotations

from calibrate.report.model import Report
from calibrate.report.of_avatar import avatar_sections
from calibrate.report.of_driver import driver_sections
from facepuppet.drivers import DriverProfile
from facepuppet.portrait import Pack


def report_on_pack(pack: Pack) -> Report:
    """Report on a pack."""
    subtitle = f"An avatar pack of version {pack.version}, and how far it bears to be moved."
    return Report(pack.avatar.name, subtitle, avatar_sections(pack))


def report_on_driver(profile: DriverProfile, name: str) -> Report:
    """Report on a driver profile.

    Args:
        profile: to report on.
        name: its heading.
    """
    subtitle = "A driver profile: how this person's face rests, and how far it moves."
    return Report(name, subtitle, driver_sections(profile))
