"""`kiosk simulate --city CITY`: a term of the sample school in minutes, by the decisions and the journal of a real gate.

Every day that the city's calendar gives is played: the people come, are called, handed over, taught, corrected and fetched, and
each day closes at zero. What comes out is an ordinary state folder, so every report reads it like a real one.
"""

from __future__ import annotations

from kiosk.simulation.term.ledger import Ledger, Sitting
from kiosk.simulation.term.playing import Played, play_term
from kiosk.simulation.term.school import Size, TermError, cities

__all__ = ["Ledger", "Played", "Sitting", "Size", "TermError", "cities", "play_term"]
