"""One table of everything that understands a stream of bytes from a wire, and what each of them promises.

A parser is `feed(bytes) -> frames`, has `buffered`, and never raises. For each there is a maker of valid frames, the garbage
beside which no frame may be lost (`harmless`), the most that it may hold (`bound`), and, where the format allows it, a
`reference`: a slow and simple reading of the whole stream by other means, with which the parser must agree on any bytes
whatever. A new parser is one more line, in the file of its kind. The tests, `make fuzz` and the guided run all
read this table.
"""

from __future__ import annotations

from tests.fuzz.wire import Wire
from tests.fuzz.wires_boards import BOARDS
from tests.fuzz.wires_parts import PARTS
from tests.fuzz.wires_serial import SERIAL
from tests.fuzz.wires_simulated import SIMULATED
from tests.fuzz.wires_typed import TYPED

WIRES: dict[str, Wire] = {**SERIAL, **BOARDS, **TYPED, **PARTS, **SIMULATED}
