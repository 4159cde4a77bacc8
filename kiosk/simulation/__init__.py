"""`kiosk simulate`: a whole day of the sample school in seconds, by the same decisions and the same journal as a real gate.

No thread and no device runs: the clock is turned by hand, and every press is one turn of the gate's own loop. What comes out is
an ordinary state folder, so that `kiosk report`, `kiosk verify` and `kiosk replay` read it like a real one.
"""

from __future__ import annotations

from kiosk.simulation.day import Simulated, SimulationError, simulate

__all__ = ["Simulated", "SimulationError", "simulate"]
