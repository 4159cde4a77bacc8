"""The campus kiosk and attendance controller: one process on each gate computer."""

__version__ = "0.1.0"
