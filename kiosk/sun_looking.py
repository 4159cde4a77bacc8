"""What `kiosk doctor` says about signing cards: whether readers that ask for their links and the key for them are both there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from drivers.protocols import Health
from kiosk.doctor import WARNING, Row
from kiosk.settings import Settings
from kiosk.sun_keys import KEY_FILE, SunKeyError, load_keys

NAME = "signing cards"


def examine_sun(settings: Settings, state: Path) -> Sequence[Row]:
    """No row for a school without such cards."""
    asking = [device.name for device in settings.site.devices if "sun=" in device.url or device.options.get("sun")]
    try:
        keys = load_keys(state)
    except SunKeyError as error:
        return [Row(name=NAME, driver="keys", health=Health.MISCONFIGURED, detail=str(error))]
    if keys is None and not asking:
        return []
    if keys is None:
        sentence = (
            f"{', '.join(asking)} read what signing cards prove, and {state / 'keys' / KEY_FILE} is not there: copy it from the "
            f"gate where it was made, or run `kiosk keys sun --state {state}`"
        )
        return [Row(name=NAME, driver="keys", health=WARNING, detail=sentence)]
    words = f"readers that ask for their links: {', '.join(asking)}" if asking else "no reader asks for their links (?sun=1)"
    return [Row(name=NAME, driver="keys", health=Health.OK, detail=words)]
